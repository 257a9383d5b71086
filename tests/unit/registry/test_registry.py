"""The registry: artefacts, variants, runs, versions, targets, releases."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import StudioError, TargetSpec, UsageError
from studio.registry import Artifact, Registry, file_digest, folder_digest
from studio.registry.ownership import entries


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "registry")
    yield registry
    registry.close()


@pytest.fixture
def artifact(registry: Registry, tmp_path: Path) -> Artifact:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"weights")
    return registry.adopt(file)


def test_an_adopted_file_is_named_by_its_content_and_read_only(artifact: Artifact) -> None:
    assert artifact.digest == file_digest(artifact.path)
    assert artifact.path.parent.name == artifact.digest
    assert artifact.size == 7
    assert artifact.path.stat().st_mode & 0o222 == 0


def test_the_same_content_is_kept_once(
    registry: Registry, artifact: Artifact, tmp_path: Path
) -> None:
    again = tmp_path / "model.onnx"
    again.write_bytes(b"weights")
    assert registry.adopt(again) == artifact
    assert list(entries(registry.store)) == [artifact.digest]


def test_a_folder_is_adopted_whole(registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    (folder / "golden").mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    (folder / "golden" / "000.npz").write_bytes(b"12345")
    digest = folder_digest(folder)
    kept = registry.adopt(folder)
    assert (kept.digest, kept.size) == (digest, 7)
    assert (kept.path / "golden" / "000.npz").read_bytes() == b"12345"
    assert folder_digest(kept.path) == digest


def test_links_are_not_adopted(registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "passwords").symlink_to("/etc/passwd")
    with pytest.raises(ValueError, match="not a regular file"):
        registry.adopt(folder)


def test_variants_are_found_by_name_number_and_content(
    registry: Registry, artifact: Artifact
) -> None:
    model = registry.add_model("digits")
    assert registry.add_model("digits") == model
    first = registry.add_variant(model, "fp32", artifact, format="onnx", precision="fp32")
    second = registry.add_variant(
        model, "int8", artifact, format="onnx", precision="int8", parent=first.id, step="quantize"
    )
    assert registry.find("digits").id == first.id
    assert registry.find("digits:int8").id == second.id
    assert registry.find(f"#{second.id}").parent == first.id
    found = registry.variant_by_digest(artifact.digest)
    assert found is not None
    assert found.id == first.id


def test_a_name_that_is_taken_gets_a_number(registry: Registry, artifact: Artifact) -> None:
    model = registry.add_model("digits")
    names = [
        registry.add_variant(model, "int8", artifact, format="onnx", precision="int8").name
        for _ in range(3)
    ]
    assert names == ["int8", "int8-2", "int8-3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#7", "Unknown variant: #7."),
        *((text, f"No file or registered model named {text!r}.") for text in ("a", "#x", "d:", "")),
    ],
)
def test_what_is_not_there_is_said(registry: Registry, text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        registry.find(text)
    assert raised.value.message == message


def test_runs_come_newest_first_and_are_filtered(registry: Registry, artifact: Artifact) -> None:
    model = registry.add_model("digits")
    variant = registry.add_variant(model, "fp32", artifact, format="onnx", precision="fp32")
    registry.add_run("profile", variant.id, {}, {"n": 1}, {"rounds": artifact})
    registry.add_run("profile", variant.id, {}, {"n": 2})
    registry.add_run("evaluate", variant.id, {}, {"n": 3})
    assert [run.result["n"] for run in registry.runs("profile")] == [2, 1]
    assert [run.result["n"] for run in registry.runs(variant=variant.id)] == [3, 2, 1]
    assert [run.result["n"] for run in registry.runs(variant=variant.id, most=2)] == [3, 2]
    assert [run.result["n"] for run in registry.runs("profile", variant.id, most=1)] == [2]
    assert len(registry.runs()) == 3
    assert registry.runs("profile")[1].artifacts == {"rounds": artifact}


def test_versions_count_within_a_model_and_the_counter_over_all(
    registry: Registry, artifact: Artifact
) -> None:
    for name in ("a", "b"):
        model = registry.add_model(name)
        variant = registry.add_variant(model, "fp32", artifact, format="onnx", precision="fp32")
        for digest in (f"{name}1", f"{name}2", f"{name}2"):
            registry.add_version(model, variant.id, artifact, digest, registry.next_counter())
    assert [(v.number, v.digest) for v in registry.versions()] == [
        (2, "b2"),
        (1, "b1"),
        (2, "a2"),
        (1, "a1"),
    ]
    counters = [version.counter for version in registry.versions()]
    assert counters == sorted(counters, reverse=True)
    assert len(set(counters)) == 4


def test_this_computer_is_always_a_target(registry: Registry) -> None:
    registry.add_target(TargetSpec("pi", "ssh://pi@board", "", {"key_file": "/k"}))
    registry.set_facts("local", {"arch": "x86_64"})
    registry.set_facts("pi", {"arch": "aarch64"})
    registry.add_target(TargetSpec("pi", "ssh://pi@board", "ssh-ed25519 AAAA", {}))
    assert [target.name for target in registry.targets()] == ["local", "pi"]
    assert registry.target("pi").host_key == "ssh-ed25519 AAAA"
    assert registry.facts("pi") == {"arch": "aarch64"}
    assert registry.facts("local") == {"arch": "x86_64"}
    registry.remove_target("pi")
    with pytest.raises(UsageError, match="Unknown target: 'pi'"):
        registry.target("pi")
    with pytest.raises(UsageError, match="Unknown target: 'ssh://pi@board'"):
        registry.target("ssh://pi@board")
    for forbidden in (lambda: registry.remove_target("local"), lambda: _add_local(registry)):
        with pytest.raises(UsageError):
            forbidden()


def _add_local(registry: Registry) -> None:
    registry.add_target(TargetSpec("local", "ssh://elsewhere"))


def test_releases_are_a_history(registry: Registry) -> None:
    registry.add_release("pi", None, "d1", "serving", {"seconds": 1.5})
    registry.add_release("local", None, "d2", "serving", {})
    registry.add_release("pi", None, "d1", "rolled back", {})
    assert [r.state for r in registry.releases("pi")] == ["rolled back", "serving"]
    assert registry.releases("pi")[1].details == {"seconds": 1.5}


def test_threads_and_processes_write_at_once(registry: Registry) -> None:
    code = (
        "import sys; from pathlib import Path; from studio.registry import Registry\n"
        "r = Registry.open(Path(sys.argv[1]))\n"
        "[r.add_release('p', None, 'd', 's', {}) for _ in range(30)]"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(registry.folder)])
    threads = [
        threading.Thread(
            target=lambda: [registry.add_release("t", None, "d", "s", {}) for _ in range(30)]
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert process.wait(60) == 0
    assert len(registry.releases("t")) == 90
    assert len(registry.releases("p")) == 30


def test_a_failed_write_leaves_nothing(registry: Registry, artifact: Artifact) -> None:
    with pytest.raises((sqlite3.IntegrityError, StudioError)):
        registry.add_variant(99, "fp32", artifact, format="onnx", precision="fp32")
    assert registry.variants() == []
    registry.add_model("still works")


def test_a_damaged_file_is_said_and_kept(tmp_path: Path) -> None:
    (tmp_path / "registry.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(StudioError, match="is damaged"):
        Registry.open(tmp_path)
    assert (tmp_path / "registry.sqlite").read_bytes().startswith(b"not a database")


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "registry.sqlite") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StudioError, match="later version"):
        Registry.open(tmp_path)
