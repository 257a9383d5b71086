"""The plan of a rollout: what each target would get, when, and with which others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from studio.packages import Bundle
from studio.rollouts.disruption import DisruptionBudget
from studio.rollouts.maintenance import MaintenanceWindow, next_opening
from studio.rollouts.results import PLANNED, RolloutResult, TargetOutcome
from studio.rollouts.step import RolloutOptions

_FREE = "nothing"


def planned(
    bundle: Bundle, waves: Sequence[Sequence[str]], options: RolloutOptions, now: datetime
) -> RolloutResult:
    """Return the plan of a rollout; nothing is changed, and no target is reached."""
    rows = tuple(
        TargetOutcome(name, number, PLANNED, _change(bundle, name, options))
        for number, names in enumerate(waves, 1)
        for name in names
    )
    return RolloutResult(
        state=PLANNED,
        rollout="",
        name=bundle.name,
        version=bundle.version,
        release=bundle.digest,
        targets=rows,
        kept=0,
        seconds=0.0,
        notes=tuple(_notes(options, now)),
    )


def _change(bundle: Bundle, target: str, options: RolloutOptions) -> str:
    before = options.serving.get(target, _FREE)
    after = f"version {bundle.version} of {bundle.name}"
    labels = options.target_labels.get(target, {})
    place = " ".join(f"{name}={value}" for name, value in labels.items())
    change = f"has {after}" if before == after else f"{before} → {after}"
    return change + (f" ({place})" if place else "")


def _notes(options: RolloutOptions, now: datetime) -> list[str]:
    windows = [MaintenanceWindow.parse(text) for text in options.window or ()]
    notes = []
    if windows:
        opens = next_opening(windows, now)
        when = "now" if opens <= now else f"at {opens:%Y-%m-%d %H:%M %Z}".rstrip()
        notes.append(f"Targets begin in {' and '.join(options.window or ())}: next {when}.")
    for budget in map(DisruptionBudget.parse, options.max_unavailable or ()):
        limit = f"{budget.number} %" if budget.is_share else str(budget.number)
        notes.append(f"At most {limit} of the targets with equal {budget.label} at once.")
    return notes
