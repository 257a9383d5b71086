"""Registry records of a rollout: the version, and a release for each target."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from studio.api import TakenBack, TargetSpec, UsageError
from studio.deployment import record as deployment
from studio.deployment.options import DeployOptions, TargetOptions
from studio.deployment.results import DeployResult, SwitchResult, UndeployResult
from studio.deployment.step import UndeployOptions
from studio.deployment.trial import parse_rule
from studio.documents.dataclass_json import from_json, to_json
from studio.jobs.options_form import form
from studio.monitoring.released_bundles import known_bundles
from studio.packages import record as packages
from studio.registry import Registry
from studio.registry.endpoints import SIGN as BELOW
from studio.rollouts.disruption import DisruptionBudget
from studio.rollouts.maintenance import MaintenanceWindow
from studio.rollouts.results import RolloutResult, RolloutWork, TargetRow
from studio.rollouts.resume import resumed
from studio.rollouts.rollout_state import RolloutState, place_of
from studio.rollouts.step import RolloutOptions


def prepare(registry: Registry, options: RolloutOptions) -> RolloutOptions:
    """Number the bundle, and add the known releases of the targets.

    Raises:
        UsageError: when no target is named, or the trial's rule is invalid.
    """
    if options.resume:
        options = resumed(registry, options, options.resume)
    if options.trial_rule and options.trial == "none":
        raise UsageError(
            "A trial's rule needs a trial.", hint="Pass --trial canary or --trial each."
        )
    parse_rule(options.trial_rule or ())
    targets = options.target
    if not targets:
        raise UsageError(
            "Missing targets.", hint="Pass --target for each target, or --target @GROUP."
        )
    if options.model and not options.bundle:
        options = replace(
            options, numbering=packages.numbering(registry, options.model, options.backend)
        )
    for text in options.window or ():
        MaintenanceWindow.parse(text)
    for text in options.max_unavailable or ():
        DisruptionBudget.parse(text)
    known: dict[str, Mapping[str, str]] = {}
    for target in targets:
        known.update(known_bundles(registry, target.name))
    labels = registry.labels.all()
    return replace(
        options,
        known_bundles=known,
        target_labels={one.name: labels.get(one.name.partition(BELOW)[0], {}) for one in targets},
        serving=_serving(registry) if options.dry_run else {},
    )


def _serving(registry: Registry) -> dict[str, str]:
    """Return what the targets serve, by the registry."""
    return {
        name: f"version {release.facts.version} of {release.facts.name}"
        for name, release in registry.history.running().items()
    }


def rolled_out(
    registry: Registry, options: RolloutOptions, work: RolloutWork, folder: Path
) -> RolloutResult:
    """Store the version, then the changes of each target in order."""
    if options.dry_run:
        return work.result
    if work.packaged and options.model:
        packages.store_version(registry, options.model, work.packaged)
    targets = {target.name: target for target in options.target or ()}
    for row in work.rows:
        _record(registry, options, targets[row.target], row, folder)
    names = sorted(targets)
    registry.add_run("rollout", None, {"targets": names}, to_json(work.result))
    ledger = RolloutState.find(place_of(registry.folder.parent), work.result.rollout)
    ledger.append("recorded", targets=names)
    return work.result


def _record(
    registry: Registry, options: RolloutOptions, target: TargetSpec, row: TargetRow, folder: Path
) -> None:
    """Record the release on a target, and its rollback."""
    names = [one.name for one in form(RolloutOptions) if one.name not in ("model", "target")]
    values = to_json(options)
    given = {**{name: values[name] for name in names}, "target": target.name}
    if row.result:
        result = from_json(DeployResult, row.result)
        with suppress(TakenBack):  # raised after the record is written
            deployment.deployed(registry, DeployOptions(target=target), result, folder, given)
    if row.undone and row.served:
        switch = from_json(SwitchResult, row.undone)
        deployment.rolled_back(registry, TargetOptions(target=target), switch, folder, given)
    elif row.undone:
        removal = from_json(UndeployResult, row.undone)
        deployment.undeployed(registry, UndeployOptions(target=target), removal, folder)
