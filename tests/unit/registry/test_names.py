"""Names that become paths: one component each, or nothing at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Refused, TargetSpec, UsageError
from studio.registry import Registry, below, component, component_of, is_component
from studio.registry.names import LONGEST_NAME, natural_order

HARMLESS = ("digits", "PP-OCRv5 rec", "a.b", "größe", "模型", "x" * 200, "-", "a:b")
HARMFUL = (
    *("", ".", "..", "../x", "/etc/x", "a/b", "a\\b", "a\0b", "a\nb", "a\x1b]52;c;eA==\x07"),
    *(".hidden", " a", "a ", "x" * 201, "a\u202eb", "é" * 101, "a/../../b", "a\u2028b"),
)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path / "data" / "registry")
    yield opened
    opened.close()


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_name_stays_as_it_is(name: str) -> None:
    assert component(name) == component_of(name) == name


@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_name_is_refused_everywhere(name: str, registry: Registry) -> None:
    assert not is_component(name)
    with pytest.raises(Refused):
        component(name)
    with pytest.raises(Refused, match="A model cannot be named"):
        registry.add_model(name)
    with pytest.raises(UsageError):
        registry.add_target(TargetSpec(name, "ssh://board"))
    assert registry.models() == []
    file = registry.folder.parent / "made"
    file.write_bytes(b"x")
    if len(name.encode()) <= 200:  # a file's own name may be longer
        with pytest.raises(Refused):
            registry.adopt(file, name)
        assert file.read_bytes() == b"x"
    assert is_component(component_of(name, LONGEST_NAME))


def test_numbers_in_names_are_ordered_as_numbers() -> None:
    names = ["cam", "cam-1", "cam-01", "cam-2", "cam-2b", "cam-10", "cam-x", "kasse", "1", "02"]
    numbers = ["1", "02", "cam", "cam-01", "cam-1", "cam-2", "cam-2b", "cam-10", "cam-x", "kasse"]
    assert sorted(names, key=natural_order) == numbers
    assert sorted(["a" + "9" * 9000, "a1"], key=natural_order)[0] == "a1"


def test_targets_groups_and_labels_are_listed_in_that_order(registry: Registry) -> None:
    names = ["cam-10", "cam-2", "cam-1"]
    for name in names:
        registry.add_target(TargetSpec(name, f"ssh://pi@{name}"))
        registry.labels.change(name, {"site": "north"})
    for name in names:
        registry.groups.set(f"line-{name}", names)
    ordered = ["cam-1", "cam-2", "cam-10"]
    assert [one.name for one in registry.targets()] == ["local", *ordered]
    assert list(registry.labels.all()) == ordered
    assert registry.groups.all() == {f"line-{name}": ordered for name in ordered}
    assert list(registry.groups.all()) == [f"line-{name}" for name in ordered]


def test_what_a_worker_says_it_has_made_is_its_own(registry: Registry, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "id_ed25519").write_text("secret")
    mode = (keys / "id_ed25519").stat().st_mode
    job = registry.folder.parent / "jobs" / "1"
    job.mkdir(parents=True)
    (job / "link").symlink_to(keys)
    for path in (keys, job / ".." / ".." / ".." / "keys", job / "link", registry.folder / "store"):
        with pytest.raises(Refused):
            registry.adopt_made(path, "m-1")
    with pytest.raises(Refused):
        registry.adopt_made(registry.folder / "registry.sqlite", "m-1")
    (job / "file").symlink_to(keys / "id_ed25519")
    with pytest.raises(ValueError, match="not a regular file"):
        registry.adopt(job / "file")
    assert (keys / "id_ed25519").read_text() == "secret"
    assert (keys / "id_ed25519").stat().st_mode == mode


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", ".", "a/../..", "link/passwd"])
def test_a_name_in_a_result_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "link").symlink_to("/etc")
    with pytest.raises(Refused, match="outside its folder"):
        below(folder, name)
    assert below(folder, "a/b.onnx") == folder / "a/b.onnx"


def test_an_older_registrys_name_does_not_lead_away(registry: Registry, tmp_path: Path) -> None:
    """Rows of before may hold any name; what is made of such a model lies in the store."""
    file = registry.folder.parent / "made.onnx"
    file.write_bytes(b"weights")
    kept = registry.adopt(file, component_of(f"{tmp_path}/victim/x.onnx"))
    assert kept.path.parent.parent == registry.store
    assert os.path.realpath(kept.path) == str(kept.path.resolve())
