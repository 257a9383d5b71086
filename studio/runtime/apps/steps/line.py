"""Step that counts tracks where they cross a line."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ..geometry import anchor_points, line_distance
from ..items import TRACKS, VALUES, Event, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError
from ..tracking.memory import TrackMemory
from .places import checked_anchor, checked_line, checked_share

_KEPT_S = 30.0
_MOST_LABELS = 1000


class LineSettings(NamedTuple):
    """Settings of a line.

    Attributes:
        start, end: Its ends as [x, y] in pixels.
        names: Of the two directions: to the left hand of someone who looks from the start to the
            end in the picture, and to the right hand.
        anchor: Point of an object that crosses: ``bottom``, ``center`` or ``top``.
        margin: Distance from the line at which an object is clearly on a side, in its heights.
    """

    start: Tuple[float, ...]
    end: Tuple[float, ...]
    names: Tuple[str, ...] = ("in", "out")
    anchor: str = "bottom"
    margin: float = 0.08


class _Passage:
    """A track near a line.

    Attributes:
        side: Where it is: -1 on the left hand, 1 on the right hand.
        point, distance: Of the latest frame.
        crossed: Where it left its side, and whether on the line itself; None while it is there.
    """

    __slots__ = ("crossed", "distance", "point", "side")

    def __init__(self, point: np.ndarray, distance: float) -> None:
        self.side = -1 if distance < 0 else 1
        self.point = point
        self.distance = distance
        self.crossed: Optional[Tuple[np.ndarray, bool]] = None


class Line:
    """Counts crossings of a line.

    A track changes sides where its path between two frames cuts the line between its ends. It is
    counted once it is clearly on the other side. A box that trembles on the line counts once.
    """

    def __init__(self, name: str, settings: LineSettings, context: AppContext) -> None:
        """Check the settings.

        Raises:
            AppError: for a line without length, an unknown anchor, and wrong names.
        """
        place = "steps." + name
        self._name = name
        self._start, self._end = checked_line(place, settings.start, settings.end)
        self._anchor = checked_anchor(place, settings.anchor)
        self._margin = checked_share(place, "margin", settings.margin)
        if len(settings.names) != 2 or settings.names[0] == settings.names[1]:
            raise AppError("{}: names are two different texts.".format(place))
        self._names = settings.names
        self._tracks: TrackMemory[_Passage] = TrackMemory(_KEPT_S)
        self._counts: Counter[str] = Counter()

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Find the crossings of one frame."""
        objects: Objects = value
        events: List[Event] = []
        if objects.size and objects.ids is not None:
            points = anchor_points(objects.corners, self._anchor)
            distances = line_distance(self._start, self._end, points).tolist()
            heights = (objects.corners[:, 3] - objects.corners[:, 1]).tolist()
            for at, track in enumerate(objects.ids.tolist()):
                clear = self._margin * heights[at]
                where = self._move(track, stamp.time, points[at], distances[at], clear)
                if where is not None:
                    events.append(self._event(stamp, objects, at, distances[at], where))
        self._tracks.forget(stamp.time)
        return StepOutput(self._values(), tuple(events))

    def _move(
        self, track: int, time: float, point: np.ndarray, distance: float, clear: float
    ) -> Optional[np.ndarray]:
        """Take the place of a track; return where it has crossed, once that is clear."""
        passage = self._tracks.see(track, time, lambda: _Passage(point, distance))
        if distance * passage.distance < 0 or passage.distance == 0:
            passage.crossed = self._cut(passage, point, distance)
        passage.point, passage.distance = point, distance
        side = -1 if distance < 0 else 1
        if side == passage.side:
            passage.crossed = None
            return None
        if abs(distance) < clear or passage.crossed is None:
            return None
        where, on_line = passage.crossed
        passage.side, passage.crossed = side, None
        return where if on_line else None

    def _cut(
        self, passage: _Passage, point: np.ndarray, distance: float
    ) -> Tuple[np.ndarray, bool]:
        """Return where a path cuts the line through both ends, and whether between them."""
        share = passage.distance / (passage.distance - distance) if distance else 1.0
        where = passage.point + share * (point - passage.point)
        along = self._end - self._start
        at = float((where - self._start) @ along / (along @ along))
        return where, 0.0 <= at <= 1.0

    def _event(
        self, stamp: FrameStamp, objects: Objects, at: int, distance: float, where: np.ndarray
    ) -> Event:
        direction, label = self._names[0 if distance < 0 else 1], objects.labels[at]
        self._counts[direction] += 1
        key = "{} {}".format(direction, label)
        if key in self._counts or len(self._counts) < _MOST_LABELS:
            self._counts[key] += 1
        details = {
            "line": self._name,
            "direction": direction,
            "label": label,
            "track": int(objects.ids[at]) if objects.ids is not None else 0,
            "x": round(float(where[0]), 1),
            "y": round(float(where[1]), 1),
        }
        return Event("crossing", self._name, stamp, details)

    def _values(self) -> Dict[str, float]:
        found = dict.fromkeys(self._names, 0.0)
        found.update((key, float(count)) for key, count in self._counts.items())
        return found


_TYPES = (
    StepType(
        "line",
        "Count tracks that cross a line, in each direction",
        kinds(TRACKS),
        kinds(VALUES),
        LineSettings,
        Line,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
