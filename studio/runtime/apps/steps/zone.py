"""Step that watches an area: what is in it, and who enters, stays and leaves."""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from ..geometry import anchor_points, edge_distance, inside
from ..items import OBJECTS, TRACKS, VALUES, Event, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..tracking.memory import TrackMemory
from .places import checked_anchor, checked_area, checked_seconds, checked_share

_MOST_LABELS = 1000


class ZoneSettings(NamedTuple):
    """Settings of a zone.

    Attributes:
        area: Corners of a polygon as [x, y] in pixels.
        anchor: Point of an object that must be inside: ``bottom``, ``center`` or ``top``.
        dwell_s: Seconds after which a stay is an event; 0: never.
        margin: Distance from the edge at which an object is clearly in or out, in its heights.
        gone_s: Seconds after which a track that is not seen has left.
    """

    area: Tuple[Tuple[float, ...], ...]
    anchor: str = "bottom"
    dwell_s: float = 0.0
    margin: float = 0.05
    gone_s: float = 2.0


class _Stay:
    """A track that was seen near a zone.

    Attributes:
        since: When it came in; not a number while it is outside.
        seen, x, y: When and where it was seen last.
        dwelt: Whether its dwelling was an event.
    """

    __slots__ = ("dwelt", "label", "seen", "since", "x", "y")

    def __init__(self, label: str) -> None:
        self.label = label
        self.since = self.seen = self.x = self.y = float("nan")
        self.dwelt = False

    @property
    def is_inside(self) -> bool:
        """Whether it is in the zone."""
        return self.since == self.since


class Zone:
    """Counts objects in an area, and reports the stays of tracks."""

    def __init__(self, name: str, settings: ZoneSettings, context: AppContext) -> None:
        """Check the settings.

        Raises:
            AppError: for an area that encloses nothing, an unknown anchor, and wrong numbers.
        """
        place = "steps." + name
        self._name = name
        self._area = checked_area(place, settings.area)
        self._anchor = checked_anchor(place, settings.anchor)
        self._margin = checked_share(place, "margin", settings.margin)
        self._dwell_s = checked_seconds(place, "dwell_s", settings.dwell_s)
        self._stays: TrackMemory[_Stay] = TrackMemory(
            checked_seconds(place, "gone_s", settings.gone_s)
        )
        self._labels: Dict[str, float] = {}

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Count the objects of one frame, and follow its tracks."""
        objects: Objects = value
        points = anchor_points(objects.corners, self._anchor)
        within = inside(self._area, points)
        events: List[Event] = []
        if objects.ids is not None:
            events += self._follow(stamp, objects, points, within)
        for track, stay in self._stays.forget(stamp.time):
            if stay.is_inside:
                events.append(self._left(stamp, track, stay, "lost"))
        return StepOutput(self._counts(objects, within), tuple(events))

    def finish(self, stamp: FrameStamp) -> StepOutput:
        """End the stays that a recording leaves open."""
        open_stays = [one for one in self._stays.items() if one[1].is_inside]
        return StepOutput(
            None, tuple(self._left(stamp, track, stay, "end") for track, stay in open_stays)
        )

    def _counts(self, objects: Objects, within: np.ndarray) -> Dict[str, float]:
        """Return how many are inside now; a class that was seen once keeps its count of 0."""
        now = Counter(objects.labels[at] for at in np.flatnonzero(within))
        for label in now:
            if len(self._labels) < _MOST_LABELS:
                self._labels.setdefault(label, 0.0)
        counts = {label: float(now[label]) for label in self._labels}
        return {**counts, "count": float(within.sum())}

    def _follow(
        self, stamp: FrameStamp, objects: Objects, points: np.ndarray, within: np.ndarray
    ) -> List[Event]:
        clear = edge_distance(self._area, points)
        heights = objects.corners[:, 3] - objects.corners[:, 1]
        sure = (clear >= self._margin * heights).tolist()
        events: List[Event] = []
        for at, track in enumerate([] if objects.ids is None else objects.ids.tolist()):
            label = objects.labels[at]
            stay = self._stays.see(track, stamp.time, lambda: _Stay(label))  # noqa: B023
            stay.seen, stay.label = stamp.time, label
            stay.x, stay.y = points[at].tolist()
            if sure[at] and bool(within[at]) != stay.is_inside:
                events.append(self._change(stamp, track, stay))
            elif self._dwells(stay):
                stay.dwelt = True
                events.append(self._event("dwelling", stamp, track, stay, dwell_s=_length(stay)))
        return events

    def _dwells(self, stay: _Stay) -> bool:
        if not self._dwell_s or stay.dwelt or not stay.is_inside:
            return False
        return stay.seen - stay.since >= self._dwell_s

    def _change(self, stamp: FrameStamp, track: int, stay: _Stay) -> Event:
        if not stay.is_inside:
            stay.since, stay.dwelt = stamp.time, False
            return self._event("entered", stamp, track, stay)
        found = self._left(stamp, track, stay, "outside")
        stay.since = float("nan")
        return found

    def _left(self, stamp: FrameStamp, track: int, stay: _Stay, reason: str) -> Event:
        """Return that a track left: it is outside, it was lost, or the recording has ended."""
        return self._event("left", stamp, track, stay, dwell_s=_length(stay), reason=reason)

    def _event(
        self, kind: str, stamp: FrameStamp, track: int, stay: _Stay, **more: object
    ) -> Event:
        details = {
            "zone": self._name,
            "label": stay.label,
            "track": track,
            "x": round(stay.x, 1),
            "y": round(stay.y, 1),
            **more,
        }
        return Event(kind, self._name, stamp, details)


def _length(stay: _Stay) -> float:
    return round(stay.seen - stay.since, 2)


_TYPES = (
    StepType(
        "zone",
        "Count objects in an area; tracks also enter, dwell and leave",
        kinds(OBJECTS, TRACKS),
        kinds(VALUES),
        ZoneSettings,
        Zone,
    ),
)
TYPES: Dict[str, StepType] = {one.name: one for one in _TYPES}
