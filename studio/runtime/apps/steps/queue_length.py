"""Step that measures a queue: how many tracks wait in an area."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from ..geometry import anchor_points, inside
from ..items import TRACKS, VALUES, Event, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError
from ..tracking.memory import TrackMemory
from .places import checked_anchor, checked_area, checked_seconds

_STEPS = 8
"""Places that are remembered of each track in the time after which it counts as waiting."""


class QueueSettings(NamedTuple):
    """Settings of a queue.

    Attributes:
        area: Corners of a polygon as [x, y] in pixels, in which the queue is.
        seconds: A track that was slow for that long waits.
        slow: Most speed of a track that waits, in its heights a second.
        levels: Lengths from which the queue is on the next level, in ascending order.
        settle_s: Seconds for which a new level must last before it is an event.
        gone_s: Seconds after which a track that is not seen has left.
        anchor: Point of an object that must be inside: ``bottom``, ``center`` or ``top``.
    """

    area: Tuple[Tuple[float, ...], ...]
    seconds: float = 5.0
    slow: float = 0.2
    levels: Tuple[int, ...] = (5, 10)
    settle_s: float = 2.0
    gone_s: float = 2.0
    anchor: str = "bottom"


class _Visit:
    """A track in the area.

    Attributes:
        places: Time, x and y at intervals, the oldest first.
        waits: Whether it was slow for long enough.
    """

    __slots__ = ("places", "waits")

    def __init__(self) -> None:
        self.places: List[Tuple[float, float, float]] = []
        self.waits = False


class Queue:
    """Counts the tracks that wait, and reports when the length of the queue changes levels.

    A track waits when it was in the area for some seconds, and its displacement over them was
    slow. People who step forward from time to time are still waiting.
    """

    def __init__(self, name: str, settings: QueueSettings, context: AppContext) -> None:
        """Check the settings.

        Raises:
            AppError: for an area that encloses nothing, an unknown anchor, and wrong numbers.
        """
        place = "steps." + name
        self._name = name
        self._settings = settings
        self._area = checked_area(place, settings.area)
        self._anchor = checked_anchor(place, settings.anchor)
        checked_seconds(place, "seconds", settings.seconds, 0.1)
        checked_seconds(place, "settle_s", settings.settle_s)
        levels = list(settings.levels)
        if levels != sorted(set(levels)) or any(level < 1 for level in levels):
            raise AppError("{}: levels are numbers from 1, in ascending order.".format(place))
        if not settings.slow > 0:
            raise AppError("{}: slow is above 0.".format(place))
        gone_s = checked_seconds(place, "gone_s", settings.gone_s)
        self._visits: TrackMemory[_Visit] = TrackMemory(gone_s)
        self._level = 0
        self._differs_since = float("nan")

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Measure the queue in one frame."""
        objects: Objects = value
        points = anchor_points(objects.corners, self._anchor)
        within = inside(self._area, points).tolist()
        heights = objects.corners[:, 3] - objects.corners[:, 1]
        for at, track in enumerate([] if objects.ids is None else objects.ids.tolist()):
            visit = self._visits.see(track, stamp.time, _Visit)
            self._look(visit, stamp.time, points[at], within[at], float(heights[at]))
        self._visits.forget(stamp.time)
        length = sum(visit.waits for _, visit in self._visits.items())
        return StepOutput({"length": float(length)}, self._levelled(stamp, length))

    def _look(
        self, visit: _Visit, time: float, point: np.ndarray, within: bool, height: float
    ) -> None:
        """Remember where a track is, and decide whether it waits."""
        if not within:
            visit.places, visit.waits = [], False
            return
        x, y = point.tolist()
        seconds = self._settings.seconds
        if not visit.places or time - visit.places[-1][0] >= seconds / _STEPS:
            visit.places.append((time, x, y))
        while len(visit.places) > 1 and time - visit.places[1][0] >= seconds:
            del visit.places[0]
        began, old_x, old_y = visit.places[0]
        passed = time - began
        if passed >= seconds:
            moved = float(np.hypot(x - old_x, y - old_y))
            visit.waits = moved <= self._settings.slow * height * passed

    def _levelled(self, stamp: FrameStamp, length: int) -> Tuple[Event, ...]:
        """Return the event of a new level, once it has lasted."""
        level = sum(length >= one for one in self._settings.levels)
        if level == self._level:
            self._differs_since = float("nan")
            return ()
        if self._differs_since != self._differs_since:
            self._differs_since = stamp.time
        if stamp.time - self._differs_since < self._settings.settle_s:
            return ()
        before, self._level = self._level, level
        self._differs_since = float("nan")
        details = {"queue": self._name, "length": length, "level": level, "before": before}
        return (Event("queue", self._name, stamp, details),)


_TYPES = (
    StepType(
        "queue",
        "Measure how many tracks wait in an area",
        kinds(TRACKS),
        kinds(VALUES),
        QueueSettings,
        Queue,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
