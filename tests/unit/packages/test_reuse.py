"""Bundles that are used again while their inputs are the same."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from studio.jobs import Job
from studio.packages import record, reuse
from studio.packages.packaging_job import package_contained
from studio.packages.results import PackageResult
from studio.packages.step import PackageOptions
from studio.registry import ModelRef, Registry, VersionRecord
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.models import make_cnn


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "registry")
    yield registry
    registry.close()


@pytest.fixture
def options(registry: Registry, tmp_path: Path) -> PackageOptions:
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    (tmp_path / "data.npz").write_bytes(b"samples")
    artifact = registry.adopt(make_cnn(tmp_path / "cnn.onnx"))
    variant = registry.add_variant(
        registry.add_model("cnn"), "fp32", artifact, format="onnx", precision="fp32"
    )
    model = ModelRef.of(variant)
    given = PackageOptions(model=model, labels=tmp_path / "labels.txt", data=tmp_path / "data.npz")
    return record.prepare(registry, given)


@pytest.fixture
def version(registry: Registry, options: PackageOptions, tmp_path: Path) -> VersionRecord:
    bundle = make_bundle(tmp_path / "made")
    result = PackageResult(
        bundle=str(bundle.folder), digest=bundle.digest, bytes=bundle.size, name="cnn",
        version=bundle.version, counter=bundle.counter, new=True, notes=("a note",),
    )  # fmt: skip
    stored = record.store_version(registry, options.model, result)
    reuse.remember(registry, options, result, stored)
    return stored


def test_the_same_inputs_give_the_stored_bundle(
    registry: Registry, options: PackageOptions, version: VersionRecord
) -> None:
    found = reuse.reusable(registry, record.prepare(registry, options))
    assert found is not None
    assert (found.bundle, found.new, found.notes) == (str(version.path), False, ("a note",))
    assert options.numbering is not None
    numbering = replace(options.numbering, reusable=found)
    # No job is needed, as nothing is run.
    assert package_contained(replace(options, numbering=numbering), cast(Job, None)) is found


def _write(name: str) -> Callable[[Registry, PackageOptions, Path], PackageOptions]:
    def change(registry: Registry, options: PackageOptions, folder: Path) -> PackageOptions:
        (folder / name).write_text("changed")
        return options

    return change


def _forget(registry: Registry, options: PackageOptions, folder: Path) -> PackageOptions:
    [path] = (version.path for version in registry.versions(options.model.model))
    path.chmod(0o700)
    path.rename(folder / "elsewhere")
    return options


def _damage(registry: Registry, options: PackageOptions, folder: Path) -> PackageOptions:
    [path] = (registry.folder / "packaged").iterdir()
    path.write_bytes(path.read_bytes()[:40])
    return options


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_write("labels.txt"), id="labels"),
        pytest.param(_write("data.npz"), id="data"),
        pytest.param(_write("preprocess.toml"), id="preprocessing found with the data"),
        pytest.param(lambda _, options, __: replace(options, embedding="x"), id="option"),
        pytest.param(
            lambda _, options, __: replace(options, model=replace(options.model, digest="0" * 64)),
            id="model",
        ),
        pytest.param(_forget, id="bundle that was collected"),
        pytest.param(_damage, id="half a record"),
    ],
)
@pytest.mark.usefixtures("version")
def test_a_change_packages_again(
    registry: Registry,
    options: PackageOptions,
    tmp_path: Path,
    change: Callable[[Registry, PackageOptions, Path], PackageOptions],
) -> None:
    assert reuse.reusable(registry, options) is not None
    assert reuse.reusable(registry, change(registry, options, tmp_path)) is None


@pytest.mark.usefixtures("version")
def test_another_tool_packages_again(
    registry: Registry, options: PackageOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reuse, "tools", lambda _: {"onnxruntime": "another"})
    assert reuse.reusable(registry, options) is None


def test_a_registry_without_a_folder_to_write_to_packages_each_time(
    registry: Registry, options: PackageOptions, version: VersionRecord
) -> None:
    shutil.rmtree(registry.folder / "packaged")
    (registry.folder / "packaged").write_text("a file in its place")
    found = PackageResult(
        bundle="", digest=version.digest, bytes=1, name="cnn", version=1, counter=1, new=False
    )
    reuse.remember(registry, options, found, version)
    assert reuse.reusable(registry, options) is None
