"""What a rollout adds to the registry: the version, and a release for each target."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from studio.api import TakenBack, TargetSpec, UsageError
from studio.deployment import record as deployment
from studio.deployment.trial import soak_rule
from studio.documents.dataclass_json import JsonValue, to_json
from studio.jobs import Result
from studio.monitoring.released_bundles import known_bundles
from studio.packages import record as packages
from studio.registry import Registry
from studio.rollouts.results import RolloutResult, RolloutWork, TargetRow
from studio.rollouts.resume import resumed
from studio.rollouts.rollout_state import RolloutState, place_of
from studio.rollouts.step import RolloutOptions


def prepare(registry: Registry, options: RolloutOptions) -> RolloutOptions:
    """Number the bundle, and add what is known of the targets' releases.

    Raises:
        UsageError: when no target was named, or the trial's rule is none.
    """
    if options.resume:
        options = resumed(registry, options, options.resume)
    if options.soak_rule and options.quality == "none":
        raise UsageError(
            "A trial's rule needs a trial.", hint="Pass --trial canary or --trial each."
        )
    soak_rule({"quality": options.quality, "soak_rule": options.soak_rule})
    targets = options.target
    if not targets:
        raise UsageError("No target was named.", hint="Give --target once for each, or @GROUP.")
    if options.model and not options.bundle:
        options = replace(options, numbering=packages.numbering(registry, options.model))
    known: dict[str, JsonValue] = {}
    for target in targets:
        known.update(known_bundles(registry, target.name))
    return replace(options, known_bundles=known)


def rolled_out(
    registry: Registry, options: RolloutOptions, work: RolloutWork, folder: Path
) -> RolloutResult:
    """Keep the version, then what was done on each target, in order."""
    if work.packaged and options.model:
        packages.keep(registry, options.model, work.packaged)
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
    """Record the release on a target, and what took it back."""
    given = {**to_json(options), "target": asdict(target)}
    if row.result:
        with suppress(TakenBack):  # which is told after it was recorded
            deployment.deployed(registry, given, {**row.result, "packaged": None}, folder)
    undone: Result = dict(row.undone)
    if undone.get("to"):
        deployment.rolled_back(registry, given, undone, folder)
    elif undone:
        deployment.undeployed(registry, given, undone, folder)
