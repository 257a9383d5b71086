"""Step that turns a value into events: above or below a limit for some time."""

from __future__ import annotations

import math
from typing import Any, Dict, Mapping, NamedTuple, Tuple

from ..items import VALUES, Event, FrameStamp, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError
from .places import checked_seconds


class RuleSettings(NamedTuple):
    """Settings of a rule.

    Attributes:
        value: Name of the value; a value that a frame does not have counts as 0.
        event: Kind of the event.
        above: The rule holds while the value is above it; left out: no such limit.
        below: The rule holds while the value is below it; left out: no such limit.
        for_s: Seconds for which it must hold before the event.
        hysteresis: How far back beyond the limit the value must be before the event ends.
        rest_s: Seconds from the beginning of an event for which no other one begins.
    """

    value: str
    event: str
    above: float = math.inf
    below: float = -math.inf
    for_s: float = 0.0
    hysteresis: float = 0.0
    rest_s: float = 0.0


class Rule:
    """Gives one event when a value has been beyond a limit, and another when that has ended."""

    def __init__(self, name: str, settings: RuleSettings, context: AppContext) -> None:
        """Check the settings.

        Raises:
            AppError: for a rule without a limit, and for wrong numbers.
        """
        place = "steps." + name
        self._name = name
        self._settings = settings
        if math.isinf(settings.above) and math.isinf(settings.below):
            raise AppError("{} needs above or below.".format(place))
        if not settings.event:
            raise AppError("{}: event is the name of a kind of event.".format(place))
        if settings.hysteresis < 0:
            raise AppError("{}: hysteresis is 0 or more.".format(place))
        checked_seconds(place, "for_s", settings.for_s)
        checked_seconds(place, "rest_s", settings.rest_s)
        self._since = float("nan")
        self._began = -math.inf
        self._is_on = False

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Compare the value of one frame with the limits."""
        values: Mapping[str, float] = value
        number = float(values.get(self._settings.value, 0.0))
        if not self._holds(number):
            return self._end(stamp, number)
        if self._since != self._since:
            self._since = stamp.time
        if self._is_on or stamp.time - self._since < self._settings.for_s:
            return StepOutput()
        if stamp.time - self._began < self._settings.rest_s:
            return StepOutput()
        self._is_on = True
        self._began = stamp.time
        return StepOutput(None, (self._event(self._settings.event, stamp, number),))

    def finish(self, stamp: FrameStamp) -> StepOutput:
        """End what a recording leaves open."""
        if not self._is_on:
            return StepOutput()
        return self._end(stamp)

    def _holds(self, number: float) -> bool:
        """Whether the value is beyond a limit, or not yet far enough back."""
        back = self._settings.hysteresis if self._is_on else 0.0
        return number > self._settings.above - back or number < self._settings.below + back

    def _end(self, stamp: FrameStamp, *number: float) -> StepOutput:
        began, was_on = self._since, self._is_on
        self._since, self._is_on = float("nan"), False
        if not was_on:
            return StepOutput()
        kind = "{}-ended".format(self._settings.event)
        ended = self._event(kind, stamp, *number, duration_s=round(stamp.time - began, 2))
        return StepOutput(None, (ended,))

    def _event(self, kind: str, stamp: FrameStamp, *number: float, **more: float) -> Event:
        """Return an event; at the end of a recording without the value."""
        known = {"value": round(number[0], 6)} if number else {}
        details = {"rule": self._name, "name": self._settings.value, **known, **more}
        return Event(kind, self._name, stamp, details)


_TYPES: Tuple[StepType, ...] = (
    StepType(
        "rule",
        "Give an event when a value is above or below a limit for some time",
        kinds(VALUES),
        kinds(),
        RuleSettings,
        Rule,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
