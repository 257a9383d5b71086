"""Ticks of a time axis: round times of the clock with texts that fit their distance."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

MOST_GRID_LINES = 7
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE * each for each in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * each for each in (1, 2, 3, 6, 12)),
    *(_DAY * each for each in (1, 2, 7, 14, 28)),
)


def time_ticks(low: float, high: float, count: int = MOST_GRID_LINES) -> list[tuple[float, str]]:
    """Return round local times in a range with their texts.

    Args:
        low, high: Seconds since 1970.
        count: Most ticks.
    """
    span = high - low
    if not span > 0 or not math.isfinite(span) or count < 1:
        return []
    step = next((each for each in _STEPS if span / each <= count), _STEPS[-1] * math.ceil(
        span / (_STEPS[-1] * count))
    )  # fmt: skip
    ticks: list[tuple[float, str]] = []
    at = _first(low, step)
    while at <= high and len(ticks) < count:
        ticks.append((at, _text(at, step)))
        at += step
    return ticks


def _first(low: float, step: float) -> float:
    """Return the first round local time at or after ``low``."""
    midnight = datetime.fromtimestamp(low).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = midnight.timestamp()
    if step >= _DAY:
        return (midnight + timedelta(days=1)).timestamp() if begin < low else begin
    return begin + math.ceil((low - begin) / step - 1e-9) * step


def _text(at: float, step: float) -> str:
    point = datetime.fromtimestamp(at)
    if step >= _DAY or (step >= _HOUR and point.hour == 0):
        return point.strftime("%d %b").lstrip("0")
    return point.strftime("%H:%M:%S" if step < _MINUTE else "%H:%M")


def clock_text(at: float, span: float) -> str:
    """Return a time under the pointer: to the second, with the day where the range has several."""
    point = datetime.fromtimestamp(at)
    if span >= _DAY:
        return point.strftime("%d %b %H:%M").lstrip("0")
    return point.strftime("%H:%M:%S")
