"""Repetitions in a sequence: adjacent stretches of equal labels."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from studio.lazy_dataclass import dataclass

_SHORTEST, _LONGEST = 3, 256
_FEWEST = 3
"""Times that a stretch has to occur before it counts as repeated."""


@dataclass(frozen=True, slots=True)
class RepeatedStretch:
    """A stretch that occurs ``times`` times, one behind the other, from ``start`` on."""

    start: int
    period: int
    times: int


def repeats(labels: Sequence[Hashable], cost: Sequence[int] = ()) -> list[RepeatedStretch]:
    """Return the repeated stretches without overlap, the longest chosen first.

    Args:
        cost: What a cut before a place costs (edges that it severs); among the rotations of a
            stretch the one whose cuts cost least is taken.
    """
    numbers: dict[Hashable, int] = {}
    coded = [numbers.setdefault(label, len(numbers)) for label in labels]
    found = [one for period in _periods(len(coded)) for one in _of_period(coded, period)]
    # Of two that cover about as much the shorter period is the more telling one.
    found.sort(key=lambda one: (-(one.period * one.times), one.period, one.start))
    taken = bytearray(len(coded))
    chosen: list[RepeatedStretch] = []
    for one in found:
        end = one.start + one.period * one.times
        if not any(taken[one.start : end]):
            taken[one.start : end] = b"\1" * (end - one.start)
            chosen.append(_rotated(coded, one, cost) if cost else one)
    return sorted(chosen, key=lambda one: one.start)


def _periods(count: int) -> range:
    return range(_SHORTEST, min(_LONGEST, count // _FEWEST) + 1)


def _of_period(coded: Sequence[int], period: int) -> list[RepeatedStretch]:
    """Return runs in which each label equals the one a period later."""
    found: list[RepeatedStretch] = []
    length = 0
    last = len(coded) - period
    for index in range(last + 1):
        if index < last and coded[index] == coded[index + period]:
            length += 1
            continue
        times = length // period + 1
        start = index - length
        if times >= _FEWEST and len(set(coded[start : start + period])) > 1:
            found.append(RepeatedStretch(start, period, times))
        length = 0
    return found


def _rotated(coded: Sequence[int], one: RepeatedStretch, cost: Sequence[int]) -> RepeatedStretch:
    """Return the rotation whose cuts sever least; it may lose one of the times."""
    end = one.start + one.period * one.times
    while end < len(coded) and coded[end] == coded[end - one.period]:
        end += 1  # the part of a further stretch that is equal, too

    def severed(shift: int) -> tuple[int, int]:
        start = one.start + shift
        times = (min(end, one.start + one.period * one.times) - start) // one.period
        total = sum(cost[start + k * one.period] for k in range(times))
        return (total * one.times) // max(times, 1), shift

    shift = min(range(one.period), key=severed)
    start = one.start + shift
    times = (one.start + one.period * one.times - start) // one.period
    return RepeatedStretch(start, one.period, times) if times >= _FEWEST - 1 else one
