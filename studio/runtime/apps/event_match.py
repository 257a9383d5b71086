"""Comparison of two lists of events: which happened in both, at nearly the same time.

Two rules choose the pairs. A score of a finished recording has as many pairs as possible. A trial
pairs the nearest events first. Otherwise a lost event would take the next one, and that one the one
after it: where events are dense, this would hide the loss.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Callable, DefaultDict, Dict, List, Mapping, NamedTuple, Sequence, Tuple

Row = Mapping[str, Any]
Key = Tuple[str, ...]
Moment = Tuple[float, int]
"""Time of an event, and its number."""
Moments = Sequence[Moment]
PairRule = Callable[[Moments, Moments, float], Sequence[Tuple[int, int]]]


class EventMatch(NamedTuple):
    """Result of a comparison.

    Attributes:
        pairs: Numbers of the events that match, first list and second.
        missing: Numbers of events of the first list without one in the second.
        extra: Numbers of events of the second list without one in the first.
    """

    pairs: Tuple[Tuple[int, int], ...]
    missing: Tuple[int, ...]
    extra: Tuple[int, ...]

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 1 when both lists are empty."""
        count = 2 * len(self.pairs) + len(self.missing) + len(self.extra)
        return 2 * len(self.pairs) / count if count else 1.0


def match_events(
    expected: Sequence[Row],
    found: Sequence[Row],
    within_s: float,
    compare: Sequence[str] = (),
) -> EventMatch:
    """Match events that are alike and close in time, each at most once.

    Of events that are alike, each is matched with the earliest that is close enough: on a line
    this gives as many pairs as possible.

    Args:
        expected: Events as plain data, with ``at_s`` in seconds.
        within_s: Seconds between two events that match.
        compare: Details that must be equal where the expected event has them, besides its kind,
            and its source and step where they are given.
    """
    return _match(expected, found, within_s, compare, _most_pairs)


def match_nearest(
    expected: Sequence[Row],
    found: Sequence[Row],
    within_s: float,
    compare: Sequence[str] = (),
) -> EventMatch:
    """Match events that are alike, those that are closest in time first, each at most once.

    Arguments as for ``match_events``. A lost event stays alone however dense the others are.
    """
    return _match(expected, found, within_s, compare, _nearest_pairs)


def _match(
    expected: Sequence[Row],
    found: Sequence[Row],
    within_s: float,
    compare: Sequence[str],
    pairs_of: PairRule,
) -> EventMatch:
    details = ("source", "step", *compare)
    groups: DefaultDict[Tuple[Key, Key], List[int]] = defaultdict(list)
    for at, row in enumerate(expected):
        names = tuple(name for name in details if name in row)
        groups[names, _key(row, names)].append(at)
    taken: Dict[int, int] = {}
    alike: Dict[Key, Mapping[Key, List[int]]] = {}
    # Those with the most details choose first: others would take what only these can have.
    for (names, key), members in sorted(groups.items(), key=lambda one: -len(one[0][0])):
        if names not in alike:
            alike[names] = _by_key(found, names)
        free = [at for at in alike[names].get(key, ()) if at not in taken]
        ones = sorted((_time(expected[at]), at) for at in members)
        others = sorted((_time(found[at]), at) for at in free)
        taken.update((second, first) for first, second in pairs_of(ones, others, within_s))
    matched = set(taken.values())
    missing = tuple(at for at in range(len(expected)) if at not in matched)
    extra = tuple(at for at in range(len(found)) if at not in taken)
    both = sorted((first, second) for second, first in taken.items())
    return EventMatch(tuple(both), missing, extra)


def _by_key(rows: Sequence[Row], names: Key) -> Mapping[Key, List[int]]:
    """Return the numbers of alike events."""
    found: DefaultDict[Key, List[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        found[_key(row, names)].append(at)
    return found


def _key(row: Row, names: Key) -> Key:
    return (str(row.get("kind", "")), *(str(row.get(name, "")) for name in names))


def _most_pairs(ones: Moments, others: Moments, within_s: float) -> List[Tuple[int, int]]:
    """Return pairs of alike events, in the order of time."""
    pairs, begin = [], 0
    for moment, one in ones:
        while begin < len(others) and others[begin][0] < moment - within_s:
            begin += 1
        if begin < len(others) and others[begin][0] <= moment + within_s:
            pairs.append((one, others[begin][1]))
            begin += 1
    return pairs


def _nearest_pairs(ones: Moments, others: Moments, within_s: float) -> List[Tuple[int, int]]:
    """Return pairs of alike events, the closest first."""
    pairs, alone, free = _simultaneous(ones, others)
    near = [
        (abs(time - moment), moment, one, other)
        for moment, one in alone
        for time, other in free
        if abs(time - moment) <= within_s
    ]
    taken_ones, taken_others = set(), set()
    for _, _, one, other in sorted(near):
        if one not in taken_ones and other not in taken_others:
            taken_ones.add(one)
            taken_others.add(other)
            pairs.append((one, other))
    return pairs


def _simultaneous(
    ones: Moments, others: Moments
) -> Tuple[List[Tuple[int, int]], List[Moment], List[Moment]]:
    """Return pairs at the same time, and what is left of both; most events are of this kind."""
    waiting: DefaultDict[float, List[int]] = defaultdict(list)
    for time, other in reversed(others):
        waiting[time].append(other)
    pairs, alone = [], []
    for moment, one in ones:
        if waiting.get(moment):
            pairs.append((one, waiting[moment].pop()))
        else:
            alone.append((moment, one))
    free = [(time, other) for time, left in waiting.items() for other in reversed(left)]
    return pairs, alone, free


def _time(row: Row) -> float:
    value = row.get("at_s", 0.0)
    return float(value) if isinstance(value, (int, float)) else 0.0
