"""The copy of a whole registry between two of the same kind; other kinds are integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import StudioError, TargetSpec, UsageError
from studio.registry import Registry
from studio.registry.servers.transfer import RegistrySide, copy_registry, digest_of
from studio.workspace.upkeep.shared_registry import SharedRegistry


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Registry]:
    """A registry with a row in each table."""
    registry = Registry.open(tmp_path / "jörg" / "registry")
    file, folder = tmp_path / "model.onnx", tmp_path / "digits-1"
    file.write_bytes(b"weights")
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    model = registry.add_model("digits")
    kept = registry.adopt(file)
    variant = registry.add_variant(model, "fp32", kept, format="onnx", precision="fp32", graph=kept)
    bundle = registry.adopt(folder)
    version = registry.add_version(model, variant.id, bundle, "d" * 64, 7)
    registry.add_run("profile", variant.id, {}, {"ms": 1.5}, {"table": kept})
    registry.add_target(TargetSpec("pi", "ssh://pi"))
    registry.add_release("pi", version.id, "d" * 64, "serving", {"by": "anna"})
    registry.ledger.add_action("package", {}, {"bundle": str(bundle.path)}, "command")
    registry.ledger.store_result("key", "package", "run", {"bundle": str(bundle.path)})
    registry.ledger.move_alias(model, "prod", version.id, why="", evidence={}, by="anna")
    yield registry
    registry.close()


@pytest.fixture
def sides(source: Registry, tmp_path: Path) -> Iterator[tuple[RegistrySide, RegistrySide]]:
    """The registry, and an empty one."""
    here = RegistrySide.of_files(source.folder)
    there = RegistrySide.of_files(tmp_path / "other" / "registry")
    yield here, there
    for side in (here, there):
        side.database.close()


def test_a_copy_has_the_same_digest_and_other_paths(
    sides: tuple[RegistrySide, RegistrySide], tmp_path: Path
) -> None:
    before = digest_of(sides[0])
    done = copy_registry(*sides)
    assert (done.files, done.absent, done.rows) == (2, 0, 10)
    assert done.digest == before == digest_of(sides[1])
    copied = Registry.open(tmp_path / "other" / "registry")
    version = copied.versions()[0]
    assert version.path.is_relative_to(tmp_path / "other")
    assert version.path.is_dir()
    assert copied.ledger.packager(str(version.path)) is not None
    copied.close()


def test_a_collected_bundle_is_counted_as_absent(
    sides: tuple[RegistrySide, RegistrySide], source: Registry
) -> None:
    source.versions()[0].path.joinpath("manifest.json").unlink()
    source.versions()[0].path.rmdir()
    assert copy_registry(*sides).absent == 1


def test_an_altered_file_stops_the_copy(
    sides: tuple[RegistrySide, RegistrySide], source: Registry
) -> None:
    path = source.variants()[0].path
    path.chmod(0o644)
    path.write_bytes(b"altered")
    with pytest.raises(StudioError, match="is not what it was"):
        copy_registry(*sides)
    assert sides[1].is_empty


def test_a_registry_that_is_not_empty_is_refused(sides: tuple[RegistrySide, RegistrySide]) -> None:
    copy_registry(*sides)
    with pytest.raises(UsageError, match="is not empty"):
        copy_registry(*sides)


def test_the_local_registry_has_no_log() -> None:
    with pytest.raises(StudioError, match="records no roles"):
        SharedRegistry().changes(5)
