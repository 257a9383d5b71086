"""A registry on a disk that is full: one sentence, and all that was there is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import StudioError, TargetSpec
from studio.projects.projects import Projects
from studio.projects.record import keep
from studio.projects.step import ProjectOptions
from studio.registry import ModelRef, Registry, VariantRecord
from tests.rigs.disks import fill, small_disk

pytestmark = pytest.mark.needs("mount", "umount")

FULL = "The disk of "


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    with small_disk(tmp_path / "disk", 16) as place:
        yield place


@pytest.fixture
def registry(disk: Path) -> Iterator[Registry]:
    opened = Registry.open(disk / "registry")
    yield opened
    opened.close()


@pytest.fixture
def variant(registry: Registry, disk: Path) -> VariantRecord:
    file = disk / "net.onnx"
    file.write_bytes(bytes(1000))
    model = registry.add_model("net")
    artifact = registry.adopt(file)
    return registry.add_variant(
        model,
        "fp32",
        artifact,
        format="onnx",
        precision="fp32",
        options={"model": str(file)},
        summary={"inputs": [], "outputs": []},
    )


def test_a_registry_that_cannot_be_opened_says_why(registry: Registry, disk: Path) -> None:
    registry.add_target(TargetSpec("roof", "ssh://ann@one"))
    registry.close()
    filler = fill(disk, 0)
    with pytest.raises(StudioError) as caught:
        Registry.open(registry.folder)
    assert caught.value.message == f"{FULL}{registry.folder} is full."
    assert "EDGEWRIGHT_HOME" in caught.value.hint
    filler.unlink()
    opened = Registry.open(registry.folder)
    assert opened.target("roof").url == "ssh://ann@one"
    opened.close()


def test_a_profile_that_cannot_be_stored_takes_nothing_with_it(
    registry: Registry, variant: VariantRecord, disk: Path
) -> None:
    result = {"note": "x" * 200_000}
    number = registry.add_run("profile", variant.id, {}, result).id
    filler = fill(disk, 20_000)
    with pytest.raises(StudioError, match=f"{FULL}.* is full"):
        registry.add_run("profile", variant.id, {}, result)
    assert [run.id for run in registry.runs("profile")] == [number]
    filler.unlink()
    later = registry.add_run("profile", variant.id, {}, result).id
    assert [run.id for run in registry.runs("profile")] == [later, number]
    assert registry.runs("profile")[0].result == result


def test_a_project_that_cannot_be_saved_stays_as_it_was(
    registry: Registry, variant: VariantRecord, disk: Path
) -> None:
    options = ProjectOptions(model=ModelRef.of(variant), metric="top1")
    keep(registry, options, disk)
    filler = fill(disk, 0)
    changed = ProjectOptions(model=ModelRef.of(variant), metric="map")
    with pytest.raises(OSError, match="No space left on device"):
        keep(registry, changed, disk)
    assert Projects(registry).of(variant).metric == "top1"
    filler.unlink()
    assert keep(registry, changed, disk).metric == "map"
