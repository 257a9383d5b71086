"""Resuming of a rollout that was halted, cancelled or cut off: its arguments, out of its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.jobs import Arguments
from studio.registry import Registry
from studio.rollouts.rollout_state import RolloutState, SavedState, place_of
from studio.rollouts.step import ROLLOUT

RULE = (
    *("strategy", "first", "size", "parallel", "max_failures", "undo", "requests", "soak_s"),
    *("max_error_rate", "max_latency_ratio", "min_agreement"),
    *("quality", "quality_s", "soak_rule"),
    *("embedding", "agreement", "keep_samples", "samples_mb", "replace", "sign", "downgrade"),
)
"""What a rollout was told, and goes on with."""
_KNOWN = ("model", "bundle", "target", "data", "labels", "preprocess")


def head_of(
    arguments: Arguments, bundle: Path, packaged: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What the ledger has to know, so that nothing is asked again."""
    return {
        "targets": [one["name"] for one in arguments["target"]],
        "bundle": str(bundle),
        "model": arguments.get("model"),
        "packaged": packaged,
        "options": {name: arguments[name] for name in RULE},
    }


def resumed(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """The arguments of the rollout that is resumed, with its rows.

    Raises:
        UsageError: when there is none, it is done, its bundle is gone, or it is told otherwise.
    """
    if any(arguments.get(name) for name in _KNOWN):
        raise UsageError(
            "A rollout that is resumed has its model and targets already.",
            hint="Leave them out, or start a new rollout without --resume.",
        )
    ledger = RolloutState.find(place_of(registry.folder.parent), str(arguments["resume"]))
    standing = ledger.read()
    if standing.state == "done":
        raise UsageError(f"The rollout {ledger.name} is done.", hint="Start a new one.")
    _refuse_changes(ledger.name, arguments, standing.head["options"])
    return {
        **arguments,
        **standing.head["options"],
        "resume": ledger.name,
        "target": [asdict(registry.target(name)) for name in standing.head["targets"]],
        "model": standing.head["model"],
        "bundle": str(_bundle(registry, ledger, standing)),
        "packaged": standing.head["packaged"],
        "rows": _rows(standing),
    }


def _refuse_changes(name: str, given: Arguments, told: Mapping[str, Any]) -> None:
    """What is given again may be what the rollout was told, and nothing else."""
    for option in ROLLOUT.form:
        if option.name not in RULE:
            continue
        default = option.check(option.default)
        value, before = (one.get(option.name, default) for one in (given, told))
        if value not in (default, before):  # a default cannot be told from what was left out
            raise UsageError(
                f"The rollout {name} goes on with what it was told: {option.label} is "
                f"{_text(before)}, not {_text(value)}.",
                hint="Leave it out, or start a new rollout without --resume.",
            )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _bundle(registry: Registry, ledger: RolloutState, standing: SavedState) -> Path:
    """The bundle: where it was, or in the store, if it was recorded meanwhile."""
    folder = Path(str(standing.head["bundle"]))
    if (folder / "manifest.json").is_file():
        return folder
    digest = str((standing.head["packaged"] or {}).get("digest", ""))
    for version in registry.versions():
        if version.digest == digest and version.path.is_dir():
            return version.path
    raise UsageError(
        f"The bundle of the rollout {ledger.name} is gone from {folder}.",
        hint="Start a new rollout; targets that have the release already are only judged.",
    )


def _rows(standing: SavedState) -> dict[str, Any]:
    """The rows; what the registry has of them is not recorded twice."""
    return {
        name: {**row, "result": {}, "undone": {}} if name in standing.recorded else dict(row)
        for name, row in standing.rows.items()
    }
