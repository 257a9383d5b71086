"""Steps that turn events into others: counts over time, and fewer repetitions."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, NamedTuple, Tuple

from ..items import EVENTS, VALUES, Event, FrameStamp, StepOutput
from ..parts import AppContext, StepType, kinds

_MOST_KEYS = 10_000


class CountSettings(NamedTuple):
    """Settings of a count.

    Attributes:
        by: Details of the events that have counts of their own, such as ``direction``.
        every_s: Seconds after which an event with the counts is given; 0: at the end alone.
    """

    by: Tuple[str, ...] = ()
    every_s: float = 60.0


class Count:
    """Counts events, and gives the counts of each period as one event."""

    def __init__(self, name: str, settings: CountSettings, context: AppContext) -> None:
        self._name = name
        self._settings = settings
        self._totals: Counter[str] = Counter()
        self._period: Counter[str] = Counter()
        self._began = float("nan")

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Count the events of one frame."""
        events = self._ended_period(stamp)
        for event in value:
            names = [event.kind, *(str(event.details.get(one, "")) for one in self._settings.by)]
            key = " ".join(name for name in names if name)
            if key in self._totals or len(self._totals) < _MOST_KEYS:
                self._totals[key] += 1
                self._period[key] += 1
        return StepOutput({key: float(count) for key, count in self._totals.items()}, events)

    def finish(self, stamp: FrameStamp) -> StepOutput:
        """Give the counts of the period that has not ended."""
        return StepOutput(None, (self._event(stamp),) if self._period else ())

    def _ended_period(self, stamp: FrameStamp) -> Tuple[Event, ...]:
        if self._began != self._began:  # not a number: the first frame
            self._began = stamp.time
        length = self._settings.every_s
        if not length or stamp.time - self._began < length:
            return ()
        self._began += length * ((stamp.time - self._began) // length)
        found = self._event(stamp)
        self._period.clear()
        return (found,)

    def _event(self, stamp: FrameStamp) -> Event:
        details = {"counts": dict(self._period), "totals": dict(self._totals)}
        return Event("count", self._name, stamp, details)


class DebounceSettings(NamedTuple):
    """Settings of a debouncer.

    Attributes:
        seconds: An event like one that came less than that before is left out.
        by: Details in which the two are alike.
    """

    seconds: float
    by: Tuple[str, ...] = ()


class Debounce:
    """Leaves out events that repeat an earlier one."""

    def __init__(self, name: str, settings: DebounceSettings, context: AppContext) -> None:
        self._name = name
        self._settings = settings
        self._latest: Dict[Tuple[str, ...], float] = {}

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Keep the events of one frame that are new."""
        kept = tuple(event._replace(step=self._name) for event in value if self._is_new(event))
        return StepOutput(None, kept)

    def _is_new(self, event: Event) -> bool:
        details = tuple(str(event.details.get(one, "")) for one in self._settings.by)
        key, now = (event.kind, *details), event.stamp.time
        before = self._latest.get(key)
        if before is not None and now - before < self._settings.seconds:
            return False
        if len(self._latest) >= _MOST_KEYS:
            self._latest.clear()
        self._latest[key] = now
        return True


_TYPES = (
    StepType(
        "count",
        "Count events, with one event for each period",
        kinds(EVENTS),
        kinds(VALUES),
        CountSettings,
        Count,
    ),
    StepType(
        "debounce",
        "Leave out repetitions of an event",
        kinds(EVENTS),
        kinds(EVENTS),
        DebounceSettings,
        Debounce,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
