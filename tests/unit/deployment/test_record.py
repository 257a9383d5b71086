"""What the deployment steps leave in the registry."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import StudioError, TakenBack
from studio.deployment import record
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.results import DeployResult, SwitchResult, UndeployResult
from studio.deployment.step import UndeployOptions
from studio.monitoring.fleet_work import with_targets
from studio.monitoring.prometheus.step import FleetOptions
from studio.packages import Bundle
from studio.packages.results import PackageResult
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
def model(registry: Registry, tmp_path: Path) -> ModelRef:
    artifact = registry.adopt(make_cnn(tmp_path / "cnn.onnx"))
    variant = registry.add_variant(
        registry.add_model("cnn"), "int8", artifact, format="onnx", precision="int8"
    )
    return ModelRef.of(variant)


def numbered(options: DeployOptions) -> int:
    assert options.numbering is not None
    return options.numbering.number.version


def result_of(bundle: Bundle, *, new: bool, state: str = "serving") -> DeployResult:
    packaged = PackageResult(
        bundle=str(bundle.folder),
        digest=bundle.digest,
        bytes=bundle.size,
        image=None,
        name=bundle.name,
        version=bundle.version,
        counter=bundle.counter,
        new=new,
    )
    return DeployResult(
        target="local",
        release=bundle.digest,
        version=bundle.version,
        name=bundle.name,
        precision="int8",
        state=state,
        endpoint="http://127.0.0.1:1",
        by="ann@desk",
        packaged=packaged,
    )


def test_a_deploy_keeps_the_version_and_the_release(
    registry: Registry, model: ModelRef, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    arguments = record.prepare(registry, DeployOptions(model=model, target=LOCAL))
    assert numbered(arguments) == 1
    final = record.deployed(registry, arguments, result_of(bundle, new=True), tmp_path)
    assert final.packaged is None
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
    registry: Registry, model: ModelRef, tmp_path: Path
) -> None:
    good = make_bundle(tmp_path / "one", 1)
    arguments = record.prepare(registry, DeployOptions(model=model, target=LOCAL))
    record.deployed(registry, arguments, result_of(good, new=True), tmp_path)
    worse = make_bundle(tmp_path / "two", 2)
    arguments = record.prepare(registry, DeployOptions(model=model, target=LOCAL))
    failed = replace(
        result_of(worse, new=True, state="failed"),
        reason="It was slower.",
        soak={"decision": "taken back"},
        at="2026-11-01T10:00:00+00:00",
        until="2026-11-01T10:05:00+00:00",
    )
    with pytest.raises(TakenBack, match="It was slower") as caught:
        record.deployed(registry, arguments, failed, tmp_path)
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
    assert numbered(record.prepare(registry, DeployOptions(model=model, target=LOCAL))) == 3
    assert len(registry.runs("deploy")) == 1


def test_a_plan_leaves_nothing(registry: Registry, model: ModelRef, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    arguments = record.prepare(registry, DeployOptions(model=model, target=LOCAL))
    planned = result_of(bundle, new=True, state="planned")
    assert record.deployed(registry, arguments, planned, tmp_path).packaged is None
    assert registry.versions() == []
    assert registry.releases() == []


def test_a_bundle_from_elsewhere_is_a_release_without_a_version(
    registry: Registry, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    arguments = record.prepare(registry, DeployOptions(bundle=bundle.folder, target=LOCAL))
    result = replace(result_of(bundle, new=False), packaged=None)
    record.deployed(registry, arguments, result, tmp_path)
    (release,) = registry.releases()
    assert release.version is None
    assert release.digest == bundle.digest


def test_a_rollback_notes_what_was_left_and_what_serves(
    registry: Registry, model: ModelRef, tmp_path: Path
) -> None:
    bundles = [make_bundle(tmp_path / str(number), number) for number in (1, 2)]
    for bundle in bundles:
        arguments = record.prepare(registry, DeployOptions(model=model, target=LOCAL))
        assert numbered(arguments) == bundle.version
        record.deployed(registry, arguments, result_of(bundle, new=True), tmp_path)
    result = SwitchResult(
        target="local",
        left_version=2,
        to=1,
        release=bundles[0].digest,
        left=bundles[1].digest,
        name="cnn",
        seconds=0.5,
        by="ann@desk",
    )
    record.rolled_back(registry, TargetOptions(target=LOCAL), result, tmp_path)
    serving, left, *_ = registry.releases("local")
    assert (serving.state, serving.digest) == ("serving", bundles[0].digest)
    assert serving.details["endpoint"] == "http://127.0.0.1:1"
    assert (left.state, left.digest) == ("rolled back", bundles[1].digest)
    gone = UndeployResult("local", "ann@desk", release=bundles[0].digest, stopped=True)
    record.undeployed(registry, UndeployOptions(target=LOCAL), gone, tmp_path)
    assert registry.releases("local")[0].state == "removed"


def test_a_number_that_was_given_twice_is_noticed(
    registry: Registry, model: ModelRef, tmp_path: Path
) -> None:
    arguments = record.prepare(registry, DeployOptions(model=model, target=LOCAL))
    for folder, seed in (("one", 1), ("two", 2)):
        bundle = make_bundle(tmp_path / folder, 1, seed=seed)
        if folder == "one":
            record.deployed(registry, arguments, result_of(bundle, new=True), tmp_path)
            continue
        with pytest.raises(StudioError, match="was made elsewhere meanwhile"):
            record.deployed(registry, arguments, result_of(bundle, new=True), tmp_path)
    shutil.rmtree(tmp_path / "two")
    assert len(registry.versions()) == 1
