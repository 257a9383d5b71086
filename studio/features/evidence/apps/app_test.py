"""The own test of an app, run for a folder of evidence: known events and found ones."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import InvalidData, StudioError
from studio.documents.plain import plain
from studio.features.evidence.apps.event_quality import EventMatching
from studio.features.evidence.records.files import without_paths
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.packages.app_slot import AppReplay, apps

EXPECTED_FILE = "records/app-expected.json"
EVENTS_FILE = "records/app-events.json"
BOARD_FILE = "records/app-board-events.json"
_MOST_BYTES = 64 << 20
_LONGEST = 200
_CLOSE = 1e-4
"""Largest difference of two values: another processor sums in another order."""
_CHANGING = ("id", "time")
"""Details of an event that differ from run to run."""
_OF_A_DECISION = ("kind", "step", "source", "time", "at_s", "decision", "was")
"""Details of a board's event that evidence needs; readings, names and reasons stay there."""


@dataclass(frozen=True, slots=True)
class TestedApp:
    """The run of an app's test.

    Attributes:
        f1: Least F1 score that the app asks of itself.
        failed: Frames on which a step failed.
        why: Why there was no test; empty where there was.
    """

    matching: EventMatching
    expected: tuple[Mapping[str, Any], ...] = ()
    found: tuple[Mapping[str, Any], ...] = ()
    f1: float = 0.0
    frames: int = 0
    failed: int = 0
    why: str = ""


def tested(folder: Path, allow_code: bool, job: Job) -> TestedApp:
    """Run the test of an app; one that is not possible has its reason."""
    try:
        replay = apps().replay(folder, allow_code, job)
    except StudioError as error:
        return not_tested(f"{error.message} {error.hint}".strip())
    settings = replay.settings
    return TestedApp(
        EventMatching(settings.within_s, settings.compare, replay.kinds),
        replay.expected,
        _stable(replay),
        settings.f1,
        replay.frames,
        replay.failed,
    )


def not_tested(why: str) -> TestedApp:
    """Return a test that did not take place."""
    return TestedApp(EventMatching(0.0, (), ()), why=why)


def _stable(replay: AppReplay) -> tuple[Mapping[str, Any], ...]:
    """Return the events without what another run gives them."""
    rows = ({k: v for k, v in row.items() if k not in _CHANGING} for row in replay.found)
    return tuple(without_paths(row) for row in rows)


def event_difference(before: Any, now: Any) -> str:
    """Return where two lists of events differ by more than rounding; empty where nowhere."""
    if not isinstance(before, list) or len(before) != len(now):
        return "the app gives another number of events now"
    for number, (one, other) in enumerate(zip(before, now, strict=True), 1):
        if not _is_alike(one, other):
            return f"event {number} is another one now"
    return ""


def _is_alike(one: Any, other: Any) -> bool:
    if isinstance(one, float | int) and isinstance(other, float | int):
        return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_is_alike(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_is_alike, one, other))
    return bool(one == other)


def board_events(path: Path) -> list[dict[str, Any]]:
    """Return the decisions and overrides in a file of a board's events, without personal details.

    Args:
        path: Lines of JSON, as a sink writes them, or the answer of ``/edgewright/app/events``.

    Raises:
        InvalidData: with the line, when it is no list of events.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidData(f"{path.name} is too large for events.")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidData(f"{path.name} cannot be read: {error}.") from None
    return [_brief(row) for row in _rows(text, path.name)]


def _brief(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: row[key] for key in _OF_A_DECISION if isinstance(row.get(key), str | int | float)}
    return {k: plain(v)[:_LONGEST] if isinstance(v, str) else v for k, v in found.items()}


def _rows(text: str, name: str) -> list[dict[str, Any]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    listed = whole.get("events") if isinstance(whole, dict) else whole
    if isinstance(listed, list):
        return [_event(row, name, number) for number, row in enumerate(listed, 1)]
    lines = enumerate(text.splitlines(), 1)
    return [_event(_parsed(one), name, number) for number, one in lines if one.strip()]


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _event(row: object, name: str, number: int) -> dict[str, Any]:
    if not isinstance(row, dict) or not isinstance(row.get("kind"), str):
        raise InvalidData(f"{name}, event {number}: an event is an object with a kind.")
    return row
