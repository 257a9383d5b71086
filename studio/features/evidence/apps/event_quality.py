"""Precision, recall and F1 score of the events of an app, from lists of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.lazy_dataclass import dataclass
from studio.runtime.apps.event_match import match_events
from studio.runtime.shared.statistics import wilson

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventMatching:
    """Rule by which two events are the same.

    Attributes:
        within_s: Seconds between them, at most.
        compare: Details that must be equal, besides kind, source and step.
        kinds: Kinds of events that are compared.
    """

    within_s: float
    compare: tuple[str, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventShare:
    """A share with Wilson's interval of 95 %; None for a share of nothing."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class EventQuality:
    """The comparison of events with those that are known.

    Attributes:
        precision: Share of the found events that are known; 1 where none was found.
        recall: Share of the known events that were found; 1 where none is known.
        f1: Harmonic mean of both; 1 where both lists are empty.
    """

    expected: int
    found: int
    matched: int
    precision: EventShare
    recall: EventShare
    f1: EventShare


def event_quality(
    expected: Sequence[Row], found: Sequence[Row], matching: EventMatching, kind: str = ""
) -> EventQuality:
    """Return the quality of events.

    Args:
        kind: The only kind that counts; empty for all compared kinds.
    """
    kinds = (kind,) if kind else matching.kinds
    known = [row for row in expected if row.get("kind") in kinds]
    others = [row for row in found if row.get("kind") in kinds]
    match = match_events(known, others, matching.within_s, matching.compare)
    pairs = len(match.pairs)
    return EventQuality(
        len(known),
        len(others),
        pairs,
        _share(pairs, len(others)),
        _share(pairs, len(known)),
        EventShare(match.f1),
    )


def _share(part: int, whole: int) -> EventShare:
    if not whole:
        return EventShare(1.0)
    return EventShare(part / whole, *wilson(part, whole))
