"""Comparison of two lists of events: which happened in both, at nearly the same time."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, DefaultDict, Dict, List, Mapping, NamedTuple, Sequence, Tuple

Row = Mapping[str, Any]
Key = Tuple[str, ...]


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
    details = ("source", "step", *compare)
    groups: DefaultDict[Tuple[Key, Key], List[int]] = defaultdict(list)
    for at, row in enumerate(expected):
        names = tuple(name for name in details if name in row)
        groups[names, _key(row, names)].append(at)
    taken: Dict[int, int] = {}
    # Those with the most details choose first: others would take what only these can have.
    for (names, key), members in sorted(groups.items(), key=lambda one: -len(one[0][0])):
        free = [at for at, row in enumerate(found) if at not in taken and _key(row, names) == key]
        pairs = _pairs(expected, members, found, free, within_s)
        taken.update((second, first) for first, second in pairs)
    matched = set(taken.values())
    missing = tuple(at for at in range(len(expected)) if at not in matched)
    extra = tuple(at for at in range(len(found)) if at not in taken)
    both = sorted((first, second) for second, first in taken.items())
    return EventMatch(tuple(both), missing, extra)


def _key(row: Row, names: Key) -> Key:
    return (str(row.get("kind", "")), *(str(row.get(name, "")) for name in names))


def _pairs(
    expected: Sequence[Row],
    members: Sequence[int],
    found: Sequence[Row],
    free: Sequence[int],
    within_s: float,
) -> List[Tuple[int, int]]:
    """Return pairs of alike events, in the order of time."""
    ones = sorted(members, key=lambda at: _time(expected[at]))
    others = sorted(free, key=lambda at: _time(found[at]))
    pairs, begin = [], 0
    for one in ones:
        moment = _time(expected[one])
        while begin < len(others) and _time(found[others[begin]]) < moment - within_s:
            begin += 1
        if begin < len(others) and _time(found[others[begin]]) <= moment + within_s:
            pairs.append((one, others[begin]))
            begin += 1
    return pairs


def _time(row: Row) -> float:
    value = row.get("at_s", 0.0)
    return float(value) if isinstance(value, (int, float)) else 0.0
