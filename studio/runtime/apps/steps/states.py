"""Step that watches the state of each object, such as the stock of the facings of a shelf."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ..items import OBJECTS, TRACKS, VALUES, Event, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError
from .places import checked_seconds
from .stable_value import StableValue

_MOST_OBJECTS = 10_000


class StatesSettings(NamedTuple):
    """Settings of the states of objects.

    Attributes:
        begins: Kind of the event with which a state begins, by the state: ``0 = "empty"``.
        ends: Kind of the event with which a state ends, by the state.
        detail: Detail of an object that is its state.
        for_s: Seconds for which an object must be in a state before that counts.
        ignore: States that are passed over, such as that of a hidden object.
    """

    begins: Mapping[str, str] = {}
    ends: Mapping[str, str] = {}
    detail: str = "class"
    for_s: float = 0.0
    ignore: Tuple[str, ...] = ()


class States:
    """Events when the state of an object begins and ends; objects are known by their labels.

    The first state of an object gives an event, too, when ``begins`` names it. Values: each state
    that is a number by the name of its object, and the number of objects in every other state.
    """

    def __init__(self, name: str, settings: StatesSettings, context: AppContext) -> None:
        """Check the settings.

        Raises:
            AppError: for a step without any event, and for wrong seconds.
        """
        place = "steps." + name
        if not settings.begins and not settings.ends:
            raise AppError("{} needs begins or ends.".format(place))
        checked_seconds(place, "for_s", settings.for_s)
        self._name = name
        self._settings = settings
        self._states: Dict[str, StableValue[str]] = {}

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Look at the objects of one frame."""
        objects: Objects = value
        events: List[Event] = []
        for number, label in enumerate(objects.labels):
            state = objects.detail(number).get(self._settings.detail)
            if state is not None and str(state) not in self._settings.ignore:
                events += self._see(stamp, label, str(state))
        return StepOutput(self._values(), tuple(events))

    def _see(self, stamp: FrameStamp, label: str, state: str) -> List[Event]:
        known = self._states.get(label)
        if known is None:
            if len(self._states) >= _MOST_OBJECTS:
                return []
            known = self._states[label] = StableValue()
        before: Optional[str] = known.value
        if not known.see(state, stamp.time, self._settings.for_s):
            return []
        kinds_of = (self._settings.ends.get(before or ""), self._settings.begins.get(state))
        details = {"label": label, "state": state}
        return [Event(kind, self._name, stamp, details) for kind in kinds_of if kind]

    def _values(self) -> Dict[str, float]:
        found: Dict[str, float] = {}
        others: Counter[str] = Counter()
        for label, one in self._states.items():
            if one.value is None:
                continue
            if one.value.isascii() and one.value.isdigit():
                found[label] = float(one.value)
            else:
                others[one.value] += 1
        return {**{state: float(count) for state, count in others.items()}, **found}


TYPES: Dict[str, StepType] = {
    "states": StepType(
        "states",
        "Watch the state of each object, with events when it changes",
        kinds(OBJECTS, TRACKS),
        kinds(VALUES),
        StatesSettings,
        States,
    )
}
