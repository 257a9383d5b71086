"""What the deployment steps leave in the registry."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from studio.api import StudioError, TakenBack
from studio.deployment import record
from studio.monitoring.fleet_work import with_targets
from studio.monitoring.prometheus.step import FleetOptions
from studio.packages import Bundle
from studio.registry import LOCAL, ModelRef, Registry
from studio.versions.serving_history import served_at
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.models import make_cnn


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "registry")
    yield registry
    registry.close()


@pytest.fixture
def model(registry: Registry, tmp_path: Path) -> dict[str, Any]:
    artifact = registry.adopt(make_cnn(tmp_path / "cnn.onnx"))
    variant = registry.add_variant(
        registry.add_model("cnn"), "int8", artifact, format="onnx", precision="int8"
    )
    return ModelRef.of(variant).to_json()


def result_of(bundle: Bundle, *, new: bool, state: str = "serving") -> dict[str, Any]:
    packaged = {
        "bundle": str(bundle.folder),
        "digest": bundle.digest,
        "bytes": bundle.size,
        "name": bundle.name,
        "version": bundle.version,
        "counter": bundle.counter,
        "new": new,
    }
    return {
        "target": "local",
        "release": bundle.digest,
        "version": bundle.version,
        "name": bundle.name,
        "state": state,
        "endpoint": "http://127.0.0.1:1",
        "by": "ann@desk",
        "packaged": packaged,
    }


def test_a_deploy_keeps_the_version_and_the_release(
    registry: Registry, model: dict[str, Any], tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    arguments = record.prepare(registry, {"model": model, "target": asdict(LOCAL)})
    assert arguments["number"]["version"] == 1
    final = record.deployed(registry, arguments, result_of(bundle, new=True), tmp_path)
    assert "packaged" not in final
    (version,) = registry.versions()
    assert version.digest == bundle.digest
    assert Bundle.open(version.path).digest == bundle.digest
    (release,) = registry.releases("local")
    assert (release.version, release.digest, release.state) == (
        version.id,
        bundle.digest,
        "serving",
    )
    assert release.details["variant_name"] == "int8"
    assert release.details["endpoint"] == "http://127.0.0.1:1"
    (run,) = registry.runs("deploy")
    assert run.options["target"] == "local"


def test_what_was_taken_back_keeps_its_number_and_changes_nothing_else(
    registry: Registry, model: dict[str, Any], tmp_path: Path
) -> None:
    good = make_bundle(tmp_path / "one", 1)
    arguments = record.prepare(registry, {"model": model, "target": asdict(LOCAL)})
    record.deployed(registry, arguments, result_of(good, new=True), tmp_path)
    worse = make_bundle(tmp_path / "two", 2)
    arguments = record.prepare(registry, {"model": model, "target": asdict(LOCAL)})
    told = {"reason": "It was slower.", "hint": "", "soak": {"decision": "taken back"}}
    with pytest.raises(TakenBack, match="It was slower") as caught:
        record.deployed(
            registry, arguments, {**result_of(worse, new=True, state="failed"), **told}, tmp_path
        )
    assert caught.value.evidence == {"decision": "taken back"}
    assert [version.number for version in registry.versions()] == [2, 1]
    newest = registry.releases("local")[0]
    assert (newest.digest, newest.state) == (worse.digest, "failed")
    assert newest.details["reason"] == "It was slower."
    current = served_at(registry, "local")
    assert current is not None
    assert current.release == good.digest
    specs = with_targets(registry, FleetOptions()).specs
    assert [one.name for one in specs] == ["local"], "it still serves, and is watched"
    assert record.prepare(registry, {"model": model})["number"]["version"] == 3
    assert len(registry.runs("deploy")) == 1


def test_a_plan_leaves_nothing(registry: Registry, model: dict[str, Any], tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    arguments = record.prepare(registry, {"model": model, "target": asdict(LOCAL)})
    planned = result_of(bundle, new=True, state="planned")
    assert "packaged" not in record.deployed(registry, arguments, planned, tmp_path)
    assert registry.versions() == []
    assert registry.releases() == []


def test_a_bundle_from_elsewhere_is_a_release_without_a_version(
    registry: Registry, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    arguments = record.prepare(registry, {"bundle": str(bundle.folder), "target": asdict(LOCAL)})
    result = {**result_of(bundle, new=False), "packaged": None}
    record.deployed(registry, arguments, result, tmp_path)
    (release,) = registry.releases()
    assert release.version is None
    assert release.digest == bundle.digest


def test_a_rollback_notes_what_was_left_and_what_serves(
    registry: Registry, model: dict[str, Any], tmp_path: Path
) -> None:
    bundles = [make_bundle(tmp_path / str(number), number) for number in (1, 2)]
    for bundle in bundles:
        arguments = record.prepare(registry, {"model": model, "target": asdict(LOCAL)})
        assert arguments["number"]["version"] == bundle.version
        record.deployed(registry, arguments, result_of(bundle, new=True), tmp_path)
    result = {
        "target": "local",
        "from": 2,
        "to": 1,
        "release": bundles[0].digest,
        "left": bundles[1].digest,
        "name": "cnn",
        "seconds": 0.5,
        "by": "ann@desk",
    }
    record.rolled_back(registry, {"target": asdict(LOCAL)}, result, tmp_path)
    serving, left, *_ = registry.releases("local")
    assert (serving.state, serving.digest) == ("serving", bundles[0].digest)
    assert serving.details["endpoint"] == "http://127.0.0.1:1"
    assert (left.state, left.digest) == ("rolled back", bundles[1].digest)
    gone = {"target": "local", "release": bundles[0].digest, "by": "ann@desk", "stopped": True}
    record.undeployed(registry, {"target": asdict(LOCAL)}, gone, tmp_path)
    assert registry.releases("local")[0].state == "removed"


def test_a_number_that_was_given_twice_is_noticed(
    registry: Registry, model: dict[str, Any], tmp_path: Path
) -> None:
    arguments = record.prepare(registry, {"model": model, "target": asdict(LOCAL)})
    for folder, seed in (("one", 1), ("two", 2)):
        bundle = make_bundle(tmp_path / folder, 1, seed=seed)
        if folder == "one":
            record.deployed(registry, arguments, result_of(bundle, new=True), tmp_path)
            continue
        with pytest.raises(StudioError, match="was made elsewhere meanwhile"):
            record.deployed(registry, arguments, result_of(bundle, new=True), tmp_path)
    shutil.rmtree(tmp_path / "two")
    assert len(registry.versions()) == 1
