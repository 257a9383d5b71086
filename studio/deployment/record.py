"""Registry records of the deployment steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
from studio.lazy_dataclass import dataclass
from studio.packages import record as packages
from studio.packages import reuse
from studio.registry import Registry, VersionRecord
from studio.registry.endpoints import SIGN as BELOW
from studio.registry.endpoints import endpoint_of
from studio.registry.labels import APPROVAL, REQUIRED

Given: TypeAlias = Mapping[str, JsonValue] | None

_FAILED = (
    *("release", "version", "name", "precision", "state"),
    *("by", "reason", "soak", "at", "until"),
)
"""Recorded fields of a release that failed its trial."""


def prepare(registry: Registry, options: DeployOptions) -> DeployOptions:
    """Resolve the named endpoint, and number the bundle if a model has to be packaged."""
    if options.endpoint:
        options = replace(options, target=endpoint_of(options.target, options.endpoint))
    if options.model and not options.bundle:
        numbering = packages.numbering(registry, options.model, options.backend)
        reusable = reuse.reusable(
            registry, replace(options, numbering=numbering).packaging(options.model)
        )
        return replace(options, numbering=replace(numbering, reusable=reusable))
    return options


def probed(registry: Registry, options: TargetOptions, result: Result, folder: Path) -> Result:
    """Store the facts of a target; one that is a protected board gets the label, too."""
    name = options.target.name.partition(BELOW)[0]
    registry.set_facts(options.target.name, result)
    protected = {*registry.labels.identities(APPROVAL, REQUIRED)}
    is_protected = result.get("is_marked") or protected.intersection(result.get("identity") or ())
    if is_protected and name not in registry.labels.having(APPROVAL, REQUIRED):
        registry.labels.change(name, {APPROVAL: REQUIRED})
    return result


def record_status(
    registry: Registry, options: StatusOptions, result: StatusResult, folder: Path
) -> StatusResult:
    """Store the facts and the state of each target."""
    for row in result.targets:
        if row.facts:
            registry.set_facts(row.target, row.facts)
    rows = tuple(_with_endpoint(registry, row) for row in result.targets)
    result = replace(result, targets=rows)
    registry.add_run("target-look", None, {}, to_json(result))
    return result


def _with_endpoint(registry: Registry, row: TargetStatus) -> TargetStatus:
    """Add the address from the last deploy to the status of a platform."""
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
    """Store the bundle as a version, and the release.

    Args:
        given: Options of the other step of which the deploy is a part.

    Raises:
        TakenBack: after the record, when the release failed its trial.
    """
    packaged, result = result.packaged, replace(result, packaged=None)
    if result.state == "planned":
        return result
    version = None
    if packaged and options.model:
        version = packages.store_version(registry, options.model, packaged)
        reuse.remember(registry, options.packaging(options.model), packaged, version)
    version = version or _version(registry, result.release)
    if options.target.endpoint_name and result.state != "failed":
        registry.endpoints.add(result.target)
    _add_release(registry, version, result)
    if result.state == "failed":  # keep its number: the target's history names it
        raise error_of_trial(result)
    variant = version.variant if version else None
    registry.add_run("deploy", variant, given or _options_of(options), to_json(result))
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
    """Record the release that a rollback ended, then the one that is active again."""
    return _moved(registry, "rollback", "rolled back", given or _options_of(options), result)


def promoted(
    registry: Registry, options: TargetOptions, result: SwitchResult, folder: Path
) -> SwitchResult:
    """Record the release that the canary replaced, then the canary as the active release."""
    return _moved(registry, "promote", "replaced", _options_of(options), result)


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
    """Record that the target has no release; a purge also deletes a named endpoint."""
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
    """Add the recorded ends of the target's chain, one for each change."""
    history = TargetHistory(registry.folder)
    name = options.target.name
    return replace(options, anchors=history.anchors(name), registry=history.chain())


def _version(registry: Registry, digest: str) -> VersionRecord | None:
    """Return the version of a release; None if another computer packaged its bundle."""
    return next((one for one in registry.versions() if one.digest == digest), None)


def _variant_name(registry: Registry, version: VersionRecord | None) -> str | None:
    return registry.variant(version.variant).name if version else None


@dataclass(frozen=True, slots=True)
class _Address:
    """The address of a release and the credentials for it, from the details of a release."""

    endpoint: str = ""
    host: str | None = optional()
    port: int | None = optional()
    root: str | None = optional()
    scheme: str | None = optional()
    fingerprint: str | None = optional()
    certificate_file: str | None = optional()
    token_required: bool | None = optional()


def _address(registry: Registry, target: str) -> _Address:
    """Return the address of a target's last deploy; a rollback on a machine does not change it."""
    known = (read_parts(_Address, one.details) for one in registry.releases(target))
    return next((address for address in known if address.endpoint), _Address())


def _options_of(options: TargetOptions | DeployOptions) -> dict[str, JsonValue]:
    """Return the options as the registry stores them, with the name of the target."""
    values = to_json(options)
    names = [one.name for one in form(type(options)) if one.name not in ("model", "target")]
    return {**{name: values[name] for name in names}, "target": options.target.name}
