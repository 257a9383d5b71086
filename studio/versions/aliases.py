"""Aliases of versions: set by hand, promoted with evidence, or rolled back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from studio.api import GateMissed, Refused, UsageError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.registry import Registry, VersionRecord
from studio.registry.run_journal import RunFolder, RunFolders
from studio.settings.user import owner
from studio.versions.results import AliasMove
from studio.versions.step import AliasOptions, PromoteOptions, RollBackOptions
from studio.versions.versions import NamedVersion, find_version, model_named

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")
RUNS = "runs"
"""Name of the folder of runs, next to the registry."""


def set_alias(registry: Registry, options: AliasOptions, folder: Path) -> AliasMove:
    """Point an alias to a version, or remove it.

    Raises:
        UsageError: when the version does not exist, or the alias is invalid.
    """
    alias = _checked(options.alias)
    if options.remove:
        model = model_named(registry, options.version.partition(":")[0])
        return _move(registry, model, alias, None, "removed", {})
    named = find_version(registry, options.version)
    return _move(registry, named.version.model, alias, named.version, "set", {})


def promote(registry: Registry, options: PromoteOptions, folder: Path) -> AliasMove:
    """Point an alias to a version whose gates have passed.

    Raises:
        GateMissed: when a gate of the run that packaged the version failed.
        Refused: when no run evaluated the version, and there is no approval with a reason.
    """
    alias = _checked(options.alias)
    named = find_version(registry, options.version)
    evidence = _evidence(registry, named, options.run, options.reason)
    return _move(registry, named.version.model, alias, named.version, "promoted", evidence)


def roll_back(registry: Registry, options: RollBackOptions, folder: Path) -> AliasMove:
    """Point an alias to its previous version again.

    Raises:
        UsageError: when it has no previous version.
    """
    alias = _checked(options.alias)
    model = model_named(registry, options.model)
    back = _before(registry, model, alias)
    evidence = {"because": options.reason} if options.reason else {}
    return _move(registry, model, alias, back, "rolled back", evidence)


def _before(registry: Registry, model: int, alias: str) -> VersionRecord:
    """Return the version before the present one; a second rollback goes back further.

    Raises:
        UsageError: when there is no earlier version.
    """
    # Moves are replayed, so that a second rollback does not return to the version left before.
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
            hint=f"Set it: studio versions alias {name}:NUMBER {alias}",
        )
    return next(one for one in registry.versions(model) if one.id == stack[-2])


def _move(
    registry: Registry,
    model: int,
    alias: str,
    version: VersionRecord | None,
    why: str,
    evidence: Mapping[str, JsonValue],
) -> AliasMove:
    move = registry.ledger.move_alias(
        model, alias, version.id if version else None, why=why, evidence=evidence, by=owner()
    )
    numbers = {one.id: one.number for one in registry.versions(model)}
    return AliasMove(
        model=next(one.name for one in registry.models() if one.id == model),
        alias=alias,
        before=numbers.get(move.before or 0),
        to=version.number if version else None,
        digest=version.digest if version else "",
        bundle=str(version.path) if version else "",
        why=why,
        evidence=evidence,
        at=move.created,
    )


def _evidence(
    registry: Registry, named: NamedVersion, run: str | None, because: str | None
) -> dict[str, JsonValue]:
    """Return the gates of the run that packaged a version."""
    folders = RunFolders(registry.folder.parent / RUNS)
    runs = [folders.find(run)] if run else folders.all()
    found = next((one for one in runs if _packaged(one, named.version)), None)
    if found is None and run:
        raise Refused(f"The run {run} did not make {named.name}.")
    if found is None:
        if because:
            return {"run": None, "gates": [], "because": because}
        raise Refused(
            f"No pipeline run has evaluated {named.name}.",
            hint="Run a pipeline with gates, or approve it: --reason TEXT",
        )
    journal = found.read()
    gates = [gate for gate in journal.gates if gate.value is not None]
    missed = [gate.name for gate in journal.gates if not gate.passed]
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
    facts = {"run": found.id, "gates": to_json(gates), "state": journal.state}
    return {**facts, "because": because} if because else facts


def _packaged(run: RunFolder, version: VersionRecord) -> bool:
    """Return whether a run packaged a version, or reused its package unchanged."""
    try:
        steps = run.read().steps
    except UsageError:
        return False
    packages = [step.id for step in steps if step.step == "package"]
    return any(run.product(name).digest == version.digest for name in packages)


def _checked(alias: str) -> str:
    if not _NAME.fullmatch(alias):
        raise UsageError(
            f"{alias!r} cannot be an alias.",
            hint="It is made of small letters, digits, - and _, and begins with a letter.",
        )
    return alias
