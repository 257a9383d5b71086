"""Rollouts in time: when each began, halted, rolled targets back and ended, wave by wave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.lazy_dataclass import dataclass
from studio.registry import ActionRecord, Registry, RunRecord
from studio.rollouts.results import BEGINNINGS, FAILURES, LEFT
from studio.rollouts.rollout_state import RolloutState, is_running, ledgers, place_of

RUNNING, INTERRUPTED, DONE, HALTED = "running", "interrupted", "done", "halted"
_TAKEN_BACK = FAILURES[0]
SHOWN = {_TAKEN_BACK: "rolled back", LEFT: "pending"}
"""Words for the states that the window names otherwise."""

_MOST = 100
_NEAR_S = 30.0


@dataclass(frozen=True, slots=True)
class WaveSpan:
    """One wave of a rollout.

    Attributes:
        begin, end: Seconds since 1970, of its first and last change.
        states: Number of targets by state.
    """

    number: int
    begin: float
    end: float
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RolloutSpan:
    """One rollout with its times, in seconds since 1970.

    Attributes:
        title: Name and version of what was rolled out.
        end: Of the last change while it is running or interrupted.
        state: ``running``, ``interrupted``, ``done`` or ``halted``.
        targets: Number of targets by state.
        halts: When it halted; it may have been resumed since.
        rollbacks: When targets were rolled back.
        action: Its number in the history of this studio; 0 without one.
    """

    name: str
    title: str
    begin: float
    end: float
    state: str
    targets: Mapping[str, int]
    waves: tuple[WaveSpan, ...] = ()
    halts: tuple[float, ...] = ()
    rollbacks: tuple[float, ...] = ()
    action: int = field(default=0)


def rollout_spans(registry: Registry) -> list[RolloutSpan]:
    """Return the last rollouts, the newest first.

    Those of this studio are read from their ledgers, others from the registry's runs.
    """
    place = place_of(registry.folder.parent)
    runs: dict[str, list[RunRecord]] = {}
    for run in registry.runs("rollout", most=_MOST):
        runs.setdefault(str(run.result.get("rollout") or run.id), []).append(run)
    actions = [one for one in registry.ledger.actions() if one.step == "rollout"]
    found = {}
    for name in ledgers(place)[-_MOST:]:
        span = _of_ledger(place / name, runs.get(name, ()), actions)
        if span is not None:
            found[name] = span
    for name, several in runs.items():
        if name not in found:
            found[name] = _of_runs(name, several, actions)
    return sorted(found.values(), key=lambda one: -one.begin)[:_MOST]


def _of_ledger(
    folder: Path, runs: Sequence[RunRecord], actions: Iterable[ActionRecord]
) -> RolloutSpan | None:
    ledger = RolloutState(folder)
    try:
        saved, changes = ledger.read(), ledger.changes()
    except (UsageError, ValueError, TypeError):
        return None
    times = [change.at for change in changes if change.at]
    if not times:
        return None
    state = saved.state
    if state == "open":
        state = RUNNING if is_running(folder) else INTERRUPTED
    rows = {name: row.state for name, row in saved.rows.items()}
    packaged = saved.head.packaged
    title = _title(runs[0].result) if runs else ""
    if not title and packaged:
        title = f"{packaged.name} v{packaged.version}"
    moved = [(one.at, one.row) for one in changes if one.kind == "row" and one.row and one.at]
    return RolloutSpan(
        name=folder.name,
        title=title or f"release {folder.name[16:24]}",
        begin=times[0],
        end=times[-1],
        state=state,
        targets=_counted([rows.get(one, "waiting") for one in saved.head.targets]),
        waves=_waves([(at, row.target, row.wave, row.state) for at, row in moved]),
        halts=tuple(one.at for one in changes if one.kind == "ended" and one.state == HALTED),
        rollbacks=tuple(at for at, row in moved if row.state == _TAKEN_BACK),
        action=_action(runs, actions),
    )


def _waves(changes: Iterable[tuple[float, str, int, str]]) -> tuple[WaveSpan, ...]:
    times: dict[int, list[float]] = {}
    states: dict[int, dict[str, str]] = {}
    for at, target, wave, state in changes:
        if state != BEGINNINGS[0]:
            times.setdefault(wave, []).append(at)
        states.setdefault(wave, {})[target] = state
    return tuple(
        WaveSpan(number, min(several), max(several), _counted(states[number].values()))
        for number, several in sorted(times.items())
    )


def _of_runs(name: str, runs: Sequence[RunRecord], actions: Iterable[ActionRecord]) -> RolloutSpan:
    """Return a rollout of another studio, of which the ends are known alone."""
    last = runs[0].result
    ends = [_seconds(one.created) for one in runs]
    begins = [
        end - float(one.result.get("seconds") or 0) for end, one in zip(ends, runs, strict=True)
    ]
    rows: list[Mapping[str, Any]] = list(last.get("targets") or ())
    back = tuple(ends[:1]) if any(one.get("state") == _TAKEN_BACK for one in rows) else ()
    halted = [end for end, one in zip(ends, runs, strict=True) if one.result.get("state") == HALTED]
    return RolloutSpan(
        name=name,
        title=_title(last) or name,
        begin=min(begins),
        end=max(ends),
        state=str(last.get("state") or DONE),
        targets=_counted(str(one.get("state")) for one in rows),
        halts=tuple(sorted(halted)),
        rollbacks=back,
        action=_action(runs, actions),
    )


def _title(result: Mapping[str, Any]) -> str:
    return f"{result['name']} v{result.get('version')}" if result.get("name") else ""


def _action(runs: Sequence[RunRecord], actions: Iterable[ActionRecord]) -> int:
    """Return the number of the action that was recorded with the newest run."""
    if not runs:
        return 0
    end = _seconds(runs[0].created)
    near = [(abs(_seconds(one.created) - end), one.id) for one in actions]
    distance, number = min(near, default=(_NEAR_S, 0))
    return number if distance < _NEAR_S else 0


def _seconds(created: str) -> float:
    return datetime.fromisoformat(created).timestamp()


def _counted(states: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in states:
        found[one] = found.get(one, 0) + 1
    return found
