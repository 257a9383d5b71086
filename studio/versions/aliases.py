"""Aliases of versions: moved by hand, by a promotion with its evidence, or back."""

from __future__ import annotations

import getpass
import json
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import GateMissed, Refused, UsageError
from studio.jobs import Arguments, Job, Result
from studio.registry import Registry, VersionRecord
from studio.registry.run_journal import RunFolder, RunFolders
from studio.versions.versions import NamedVersion, find_version, model_named

PRODUCTION = "production"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")
RUNS = "runs"
"""Where the runs lie, beside the registry."""


def nothing(arguments: Arguments, job: Job) -> Result:
    """The work of a step whose whole effect is its record."""
    return {}


def aliased(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Let an alias stand for a version, or for none.

    Raises:
        UsageError: when there is no such version, or the alias cannot be one.
    """
    alias = _checked(arguments["alias"])
    if arguments.get("remove"):
        model = model_named(registry, str(arguments["version"]).partition(":")[0])
        return _moved(registry, model, alias, None, "removed", {})
    named = find_version(registry, arguments["version"])
    return _moved(registry, named.version.model, alias, named.version, "set", {})


def promoted(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Let an alias stand for a version whose gates were met.

    Raises:
        GateMissed: when a gate of the run that made the version was not met.
        Refused: when no run judged the version, and nobody gave a reason to do without.
    """
    alias = _checked(arguments.get("alias") or PRODUCTION)
    named = find_version(registry, arguments["version"])
    evidence = _evidence(registry, named, arguments.get("run"), arguments.get("because"))
    return _moved(registry, named.version.model, alias, named.version, "promoted", evidence)


def rolled_back(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Let an alias stand again for what it stood for before.

    Raises:
        UsageError: when it never stood for anything else.
    """
    alias = _checked(arguments.get("alias") or PRODUCTION)
    model = model_named(registry, arguments["model"])
    back = before(registry, model, alias)
    evidence = {"because": arguments["because"]} if arguments.get("because") else {}
    return _moved(registry, model, alias, back, "rolled back", evidence)


def before(registry: Registry, model: int, alias: str) -> VersionRecord:
    """The version that an alias goes back to. Going back twice goes back further.

    Raises:
        UsageError: when there is none.
    """
    stack: list[int] = []
    for move in reversed(registry.ledger.moves(model, alias)):
        if move.why == "rolled back" and len(stack) > 1:
            stack.pop()
        elif move.version is not None and move.version not in stack[-1:]:
            stack.append(move.version)
    if len(stack) < 2:
        name = next(one.name for one in registry.models() if one.id == model)
        raise UsageError(
            f"{name}@{alias} has no previous version.",
            hint=f"Let it stand for one: studio versions alias {name}:NUMBER {alias}",
        )
    return next(one for one in registry.versions(model) if one.id == stack[-2])


def _moved(
    registry: Registry,
    model: int,
    alias: str,
    version: VersionRecord | None,
    why: str,
    evidence: Mapping[str, Any],
) -> Result:
    move = registry.ledger.move_alias(
        model, alias, version.id if version else None, why=why, evidence=evidence, by=_owner()
    )
    numbers = {one.id: one.number for one in registry.versions(model)}
    return {
        "model": next(one.name for one in registry.models() if one.id == model),
        "alias": alias,
        "from": numbers.get(move.before or 0),
        "to": version.number if version else None,
        "digest": version.digest if version else "",
        "bundle": str(version.path) if version else "",
        "why": why,
        "evidence": dict(evidence),
        "at": move.created,
    }


def _evidence(
    registry: Registry, named: NamedVersion, run: str | None, because: str | None
) -> dict[str, Any]:
    """The gates of the run that made a version."""
    folders = RunFolders(registry.folder.parent / RUNS)
    runs = [folders.find(run)] if run else folders.all()
    found = next((one for one in runs if _made(one, named.version)), None)
    if found is None and run:
        raise Refused(f"The run {run} did not make {named.name}.")
    if found is None:
        if because:
            return {"run": None, "gates": [], "because": because}
        raise Refused(
            f"No pipeline run has evaluated {named.name}.",
            hint="Run a pipeline with gates, or approve it: --reason TEXT",
        )
    document = found.read()
    gates = [gate for gate in document.get("gates") or () if gate.get("value") is not None]
    missed = [gate["name"] for gate in document.get("gates") or () if not gate["passed"]]
    if missed and not because:
        raise GateMissed(
            f"{named.name} was not promoted: the gate {missed[0]!r} failed.",
            hint="Approve it with a reason: --reason TEXT",
        )
    if not gates and not because:
        raise Refused(
            f"The run {found.id} that made {named.name} has judged no gate.",
            hint="Add gates to the pipeline, or approve it: --reason TEXT",
        )
    facts = {"run": found.id, "gates": gates, "state": document["state"]}
    return {**facts, "because": because} if because else facts


def _made(run: RunFolder, version: VersionRecord) -> bool:
    """Whether a run packaged (or took unchanged) a version."""
    try:
        steps = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))["steps"]
    except (OSError, ValueError, KeyError):
        return False
    packages = [step["id"] for step in steps if step.get("step") == "package"]
    return any(run.result(name).get("digest") == version.digest for name in packages)


def _checked(alias: str) -> str:
    if not _NAME.fullmatch(alias):
        raise UsageError(
            f"{alias!r} cannot be an alias.",
            hint="It is made of small letters, digits, - and _, and begins with a letter.",
        )
    return alias


def _owner() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return f"{name}@{platform.node() or 'unknown'}"
