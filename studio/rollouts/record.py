"""What a rollout adds to the registry: the version, and a release for each target."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from studio.api import TakenBack, UsageError
from studio.deployment import record as deployment
from studio.deployment.trial import soak_rule
from studio.jobs import Arguments, Result
from studio.monitoring.released_bundles import known_bundles
from studio.packages import record as packages
from studio.registry import Registry
from studio.rollouts.resume import resumed
from studio.rollouts.rollout_state import RolloutState, place_of


def prepare(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Number the bundle, and add what is known of the targets' releases.

    Raises:
        UsageError: when no target was named, or the trial's rule is none.
    """
    if arguments.get("resume"):
        arguments = resumed(registry, arguments)
    if arguments.get("soak_rule") and arguments.get("quality") == "none":
        raise UsageError(
            "A trial's rule needs a trial.", hint="Pass --trial canary or --trial each."
        )
    soak_rule(arguments)
    if arguments.get("resume"):
        prepared = dict(arguments)
    elif not arguments["target"]:
        raise UsageError("No target was named.", hint="Give --target once for each, or @GROUP.")
    else:
        prepared = deployment.prepare(registry, arguments)
    known: dict[str, Any] = {}
    for target in arguments["target"]:
        known.update(known_bundles(registry, target["name"]))
    # The packaging has a "known" of its own: the model's bundles.
    return {**prepared, "known_bundles": known}


def rolled_out(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Keep the version, then what was done on each target, in order."""
    packaged = result.pop("packaged")
    if packaged:
        packages.keep(registry, arguments["model"], packaged)
    by_name = {target["name"]: target for target in arguments["target"]}
    for row in result["targets"]:
        given = {**arguments, "target": by_name[row["target"]]}
        if row["result"]:
            with suppress(TakenBack):  # which is told after it was recorded
                deployment.deployed(registry, given, {**row["result"], "packaged": None}, folder)
        undone = row["undone"]
        if undone.get("to"):
            deployment.rolled_back(registry, given, undone, folder)
        elif undone:
            deployment.undeployed(registry, given, undone, folder)
        row.pop("result")
        row.pop("undone")
    registry.add_run("rollout", None, {"targets": sorted(by_name)}, result)
    ledger = RolloutState.find(place_of(registry.folder.parent), result["rollout"])
    ledger.append("recorded", targets=sorted(by_name))
    return result
