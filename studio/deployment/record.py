"""What deployment adds to the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from studio.deployment.history import TargetHistory
from studio.deployment.liveness import SERVING
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.results import (
    DeployResult,
    StatusResult,
    SwitchResult,
    TargetStatus,
    UndeployResult,
)
from studio.deployment.step import StatusOptions, UndeployOptions, VerifyLogOptions
from studio.deployment.trial import error_of_trial
from studio.documents.dataclass_json import JsonValue, optional, read_parts, to_json
from studio.jobs import Result
from studio.jobs.options_form import form
from studio.packages import record as packages
from studio.registry import Registry, VersionRecord
from studio.registry.endpoints import endpoint_of

Given: TypeAlias = Mapping[str, JsonValue] | None

_FAILED = (
    *("release", "version", "name", "precision", "state"),
    *("by", "reason", "soak", "at", "until"),
)
"""What the registry keeps of a release that was taken back on trial."""


def prepare(registry: Registry, options: DeployOptions) -> DeployOptions:
    """Find the endpoint that is named, and number the bundle that a model is going to need."""
    if options.endpoint:
        options = replace(options, target=endpoint_of(options.target, options.endpoint))
    if options.model and not options.bundle:
        return replace(options, numbering=packages.numbering(registry, options.model))
    return options


def probed(registry: Registry, options: TargetOptions, result: Result, folder: Path) -> Result:
    """Keep what was learned of a target."""
    registry.set_facts(options.target.name, result)
    return result


def looked(
    registry: Registry, options: StatusOptions, result: StatusResult, folder: Path
) -> StatusResult:
    """Keep the facts of each target, and how they were."""
    for row in result.targets:
        if row.facts:
            registry.set_facts(row.target, row.facts)
    rows = tuple(_with_endpoint(registry, row) for row in result.targets)
    result = replace(result, targets=rows)
    registry.add_run("target-look", None, {}, to_json(result))
    return result


def _with_endpoint(registry: Registry, row: TargetStatus) -> TargetStatus:
    """Return the status with the address of a platform, as it was told at the deploy."""
    if row.facts or row.state != SERVING or row.endpoint:
        return row
    endpoint = _address(registry, row.target).endpoint
    return replace(row, endpoint=endpoint, scheme=urlsplit(endpoint).scheme)


def deployed(
    registry: Registry,
    options: DeployOptions,
    result: DeployResult,
    folder: Path,
    given: Given = None,
) -> DeployResult:
    """Keep the bundle as a version, and the release.

    Args:
        given: Options as they were given to another step, of which the deploy is a part.

    Raises:
        TakenBack: after that, when the release was worse on trial.
    """
    packaged, result = result.packaged, replace(result, packaged=None)
    if result.state == "planned":
        return result
    version = None
    if packaged and options.model:
        version = packages.store_version(registry, options.model, packaged)
    version = version or _version(registry, result.release)
    if options.target.endpoint_name and result.state != "failed":
        registry.endpoints.add(result.target)
    _add_release(registry, version, result)
    if result.state == "failed":  # its number stays its own: the target's record names it
        raise error_of_trial(result)
    variant = version.variant if version else None
    registry.add_run("deploy", variant, given or _given(options), to_json(result))
    return result


def _add_release(registry: Registry, version: VersionRecord | None, result: DeployResult) -> None:
    document = to_json(result)
    names = _FAILED if result.state == "failed" else [key for key in document if key != "target"]
    details = {name: document[name] for name in names}
    details["variant_name"] = _variant_name(registry, version)
    number = version.id if version else None
    registry.add_release(result.target, number, result.release, result.state, details, result.at)
    history = TargetHistory(registry.folder)
    history.add(result.target, result.release, result.state, result.by, result.log)


def rolled_back(
    registry: Registry,
    options: TargetOptions,
    result: SwitchResult,
    folder: Path,
    given: Given = None,
) -> SwitchResult:
    """Note what was taken back, then what serves again."""
    return _moved(registry, "rollback", "rolled back", given or _given(options), result)


def promoted(
    registry: Registry, options: TargetOptions, result: SwitchResult, folder: Path
) -> SwitchResult:
    """Note what the canary replaced, then that it has all requests."""
    return _moved(registry, "promote", "replaced", _given(options), result)


def _moved(
    registry: Registry,
    step: str,
    left_state: str,
    given: Mapping[str, JsonValue],
    result: SwitchResult,
) -> SwitchResult:
    target, left = result.target, _version(registry, result.left)
    version = _version(registry, result.release)
    facts: dict[str, JsonValue] = {"by": result.by, "seconds": result.seconds}
    address = _address(registry, target)
    if result.endpoint:
        address = replace(address, endpoint=result.endpoint)
    registry.add_release(
        target,
        left.id if left else None,
        result.left,
        left_state,
        {**facts, "version": result.left_version},
        result.at,
    )
    registry.add_release(
        target,
        version.id if version else None,
        result.release,
        "serving",
        {
            **facts,
            "version": result.to,
            "name": result.name,
            "variant_name": _variant_name(registry, version),
            **to_json(address),
        },
        result.at,
    )
    history = TargetHistory(registry.folder)
    history.add(target, result.left, left_state, result.by)
    history.add(target, result.release, "serving", result.by, result.log)
    variant = version.variant if version else None
    registry.add_run(step, variant, given, to_json(result))
    return result


def undeployed(
    registry: Registry, options: UndeployOptions, result: UndeployResult, folder: Path
) -> UndeployResult:
    """Note that nothing is served any more; an endpoint whose files are gone is forgotten."""
    version = _version(registry, result.release)
    if result.release:
        registry.add_release(
            result.target,
            version.id if version else None,
            result.release,
            "removed",
            {"by": result.by, "version": version.number if version else None},
            result.at,
        )
        history = TargetHistory(registry.folder)
        history.add(result.target, result.release, "removed", result.by, result.log)
    if options.purge:
        registry.endpoints.forget(result.target)
    return result


def anchors(registry: Registry, options: VerifyLogOptions) -> VerifyLogOptions:
    """Add where the target's chain stood after each change that the registry knows of."""
    history = TargetHistory(registry.folder)
    name = options.target.name
    return replace(options, anchors=history.anchors(name), registry=history.chain())


def _version(registry: Registry, digest: str) -> VersionRecord | None:
    """Return the version of a release, unless its bundle was made elsewhere."""
    return next((one for one in registry.versions() if one.digest == digest), None)


def _variant_name(registry: Registry, version: VersionRecord | None) -> str | None:
    return registry.variant(version.variant).name if version else None


@dataclass(frozen=True, slots=True)
class _Address:
    """Where a release answers, and what callers must bring, in the details of a release."""

    endpoint: str = ""
    host: str | None = optional()
    port: int | None = optional()
    root: str | None = optional()
    scheme: str | None = optional()
    fingerprint: str | None = optional()
    certificate_file: str | None = optional()
    token_required: bool | None = optional()


def _address(registry: Registry, target: str) -> _Address:
    """Return where a target answers, and whom: on a machine a rollback does not change that."""
    known = (read_parts(_Address, one.details) for one in registry.releases(target))
    return next((address for address in known if address.endpoint), _Address())


def _given(options: TargetOptions | DeployOptions) -> dict[str, JsonValue]:
    """Return the options, with the target by its name."""
    values = to_json(options)
    names = [one.name for one in form(type(options)) if one.name not in ("model", "target")]
    return {**{name: values[name] for name in names}, "target": options.target.name}
