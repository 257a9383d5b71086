"""Export and import of a project, and archives that want to do harm."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.settings import resource
from studio.versions.project_archive import LISTING
from studio.versions.results import ImportedModel, ImportResult
from studio.workspace import Workspace

pytestmark = pytest.mark.slow

MODEL = str(resource("samples", "digits", "digits.onnx"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with two variants, a version and an alias."""
    home = tmp_path_factory.mktemp("project")
    with Workspace.open(home / "from") as workspace:
        assert workspace.run("open", model=MODEL).ok
        assert workspace.run("quantize", model="digits", method="fp16").ok
        assert workspace.run("package", model="digits:fp16").ok
        assert workspace.run("version-alias", version="digits", alias="production").ok
        outcome = workspace.run("project-export", out=str(home / "project.zip"))
        assert outcome.ok, outcome
    return home / "project.zip"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "to") as opened:
        yield opened


def test_what_was_exported_comes_in_once(
    project: Path, workspace: Workspace, tmp_path: Path
) -> None:
    outcome = workspace.run("project-import", archive=str(project))
    assert outcome.ok, outcome
    assert outcome.result == ImportResult((ImportedModel("digits", "digits", 2, 1),))
    (version,) = workspace.versions.all()
    assert (version.aliases, version.variant) == (("production",), "fp16")
    told = workspace.versions.lineage("digits@production")
    assert [one.step for one in told.variants] == ["quantize", "open"]
    assert workspace.registry.find("digits:fp16").graph_path is not None
    again = workspace.run("project-import", archive=str(project)).result
    assert again == ImportResult((ImportedModel("digits", "digits", 0, 0),))
    assert workspace.run("profile", model="digits:fp16", seconds=0.1, rounds=1).ok
    deployed = workspace.run("deploy", bundle=told.bundle, dry_run=True)
    assert deployed.document["possible"], deployed


def test_a_name_that_means_another_model_is_not_mixed_with_it(
    project: Path, workspace: Workspace, tmp_path: Path
) -> None:
    other = tmp_path / "digits.onnx"
    content = Path(MODEL).read_bytes()
    other.write_bytes(content + b"\x52\x04more")  # an unknown field: another digest
    if not workspace.run("open", model=str(other)).ok:
        pytest.fail("the changed model does not open")
    outcome = workspace.run("project-import", archive=str(project))
    assert outcome.ok, outcome
    assert outcome.result.models[0].name == "digits-2"


Change = Callable[[zipfile.ZipFile, dict[str, bytes]], None]


def rewritten(project: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """The archive with other entries: ``change`` is given name -> content, and may use ``ZipInfo``
    for names."""
    with zipfile.ZipFile(project) as archive:
        entries: dict[Any, bytes] = {name: archive.read(name) for name in archive.namelist()}
    change(entries)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


def listing(entries: dict[str, Any]) -> Any:
    return json.loads(entries[LISTING])


def relisted(change: Callable[[Any], None]) -> Callable[[dict[str, Any]], None]:
    def apply(entries: dict[str, Any]) -> None:
        document = listing(entries)
        change(document["models"][0])
        entries[LISTING] = json.dumps(document).encode()

    return apply


def altered(entries: dict[str, Any]) -> None:
    name = next(name for name in entries if name.startswith("blobs/"))
    entries[name] = entries[name][:-1] + bytes([entries[name][-1] ^ 1])


def foreign_name(entries: dict[str, Any]) -> None:
    entries["../../evil"] = b"x"


def stowaway(entries: dict[str, Any]) -> None:
    entries["blobs/" + hashlib.sha256(b"more").hexdigest()] = b"more"


def link(entries: dict[str, Any]) -> None:
    info = zipfile.ZipInfo("blobs/" + "0" * 64)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    entries[info] = b"/etc/passwd"  # type: ignore[index]


def packed(entries: dict[str, Any]) -> None:
    info = zipfile.ZipInfo("blobs/" + "0" * 64)
    info.compress_type = zipfile.ZIP_DEFLATED
    entries[info] = bytes(1 << 20)  # type: ignore[index]


def missing(entries: dict[str, Any]) -> None:
    del entries[next(name for name in entries if name.startswith("blobs/"))]


def climbing(model: Any) -> None:
    model["variants"][0]["files"][0][0] = "../../../evil.onnx"
    model["variants"][0]["main"] = "../../../evil.onnx"


def swapped(model: Any) -> None:
    model["variants"][0]["digest"], model["variants"][1]["digest"] = (
        model["variants"][1]["digest"],
        model["variants"][0]["digest"],
    )


def no_model(model: Any) -> None:
    model["variants"] = "none"


def other_release(model: Any) -> None:
    model["versions"][0]["digest"] = "f" * 64


def called(name: str) -> Callable[[dict[str, Any]], None]:
    def change(model: Any) -> None:
        model["name"] = name

    return relisted(change)


def counting(counter: int) -> Callable[[dict[str, Any]], None]:
    def change(model: Any) -> None:
        model["versions"][0]["counter"] = counter

    return relisted(change)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (altered, 4, "is not what its name says"),
        (foreign_name, 4, "which no project has"),
        (stowaway, 4, "which nothing speaks of"),
        (link, 4, "is no plain file"),
        (packed, 4, "is packed or encrypted"),
        (missing, 1, "lacks the file"),
        (relisted(climbing), 4, "which is not one below a folder"),
        (relisted(swapped), 4, "is not what its digest says"),
        (relisted(no_model), 1, "not well formed"),
        (relisted(other_release), 4, "is not what its digest says"),
        (called("/tmp/evil/x"), 4, "A model cannot be named"),
        (called("../../../../evil"), 4, "A model cannot be named"),
        (called("evil\n::error::"), 4, "A model cannot be named"),
        (counting(2**63 - 1), 4, "none above it would be left"),
        (counting(-1), 4, "none above it would be left"),
        (counting(7), 4, "is not what its digest says"),
    ],
)
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    project: Path,
    workspace: Workspace,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    code: int,
    words: str,
) -> None:
    archive = tmp_path / "hostile.zip"
    rewritten(project, archive, change)
    outcome = workspace.run("project-import", archive=str(archive))
    assert (outcome.exit_code, outcome.ok) == (code, False), outcome
    assert words in outcome.sentence, outcome.sentence
    assert workspace.registry.models() == []
    assert not list(tmp_path.parent.glob("**/evil*"))


def test_what_is_no_archive(project: Path, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no archive")
    shutil.copyfile(project, tmp_path / "b.zip")
    with (tmp_path / "b.zip").open("r+b") as file:
        file.truncate(project.stat().st_size // 2)
    for name in ("a.zip", "b.zip"):
        outcome = workspace.run("project-import", archive=str(tmp_path / name))
        assert outcome.exit_code == 1
        assert "is no archive of a project" in outcome.sentence


def test_an_imported_version_keeps_its_number_and_its_date(
    project: Path, workspace: Workspace, tmp_path: Path
) -> None:
    with zipfile.ZipFile(project) as archive:
        (model,) = json.loads(archive.read(LISTING))["models"]
    (listed,) = model["versions"]
    old = "2024-02-29T12:00:00.000+00:00"

    def earlier(model: Any) -> None:
        for row in (*model["variants"], *model["versions"]):
            row["created"] = old

    rewritten(project, tmp_path / "old.zip", relisted(earlier))
    assert workspace.run("project-import", archive=str(tmp_path / "old.zip")).ok
    (version,) = workspace.versions.all()
    assert (version.version, version.created) == (listed["number"], old)
    assert {one.created for one in workspace.registry.variants()} == {old}


@pytest.mark.parametrize("written", [None, "yesterday", "9999-12-31T00:00:00+00:00"])
def test_a_date_that_cannot_be_is_that_of_the_packaging(
    project: Path, workspace: Workspace, tmp_path: Path, written: str | None
) -> None:
    """Archives of before have none; what has not come yet is believed of nobody."""

    def change(model: Any) -> None:
        model["versions"][0]["created"] = written

    rewritten(project, tmp_path / "changed.zip", relisted(change))
    assert workspace.run("project-import", archive=str(tmp_path / "changed.zip")).ok
    (version,) = workspace.versions.all()
    packaged = workspace.versions.lineage("digits").created
    assert version.created[:19] == packaged[:19]


def test_a_bundle_that_was_lost_comes_back_with_the_archive(
    project: Path, workspace: Workspace
) -> None:
    assert workspace.run("project-import", archive=str(project)).ok
    (version,) = workspace.registry.versions()
    shutil.rmtree(version.path.parent)
    again = workspace.run("project-import", archive=str(project))
    assert again.ok, again
    assert version.path.is_dir()
    assert len(workspace.registry.versions()) == 1


def test_a_poisoned_counter_of_before_stops_no_packaging(
    project: Path, workspace: Workspace
) -> None:
    assert workspace.run("project-import", archive=str(project)).ok
    with workspace.registry._db.write() as db:
        db.execute("UPDATE versions SET counter = ?", (2**63 - 1,))
    outcome = workspace.run("package", model="digits:fp32")
    assert outcome.ok, outcome
    assert outcome.result.counter < 2**53
