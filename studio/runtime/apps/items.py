"""Values that travel through the graph of an app."""

from __future__ import annotations

from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

import numpy as np

PICTURES, OBJECTS, TRACKS = "pictures", "objects", "tracks"
SIGNAL, VALUES, EVENTS = "signal", "values", "events"

KINDS = (PICTURES, OBJECTS, TRACKS, SIGNAL, VALUES, EVENTS)
"""What a connection of the graph carries."""

Values = Dict[str, float]
"""Numbers by their names: a count, a probability, a measured quantity."""


class FrameStamp(NamedTuple):
    """AppSource, number and times of one frame, or of one piece of a signal.

    Attributes:
        number: Counted from 0 in the order of the source, with those that were dropped.
        time: Seconds on a clock that never jumps: of the film for a file, since the start of the
            computer for a camera. Durations and speeds are measured on it.
        wall: Seconds since 1970 in UTC, as an event gives them.
        arrived: ``time.perf_counter`` when it was read, from which latency counts.
    """

    source: str
    number: int
    time: float
    wall: float
    arrived: float


class Objects(NamedTuple):
    """Objects in one picture.

    Attributes:
        pixels: The picture, height x width x 3, RGB, uint8.
        corners: Left, top, right, bottom in pixels, n x 4.
        scores: From 0 to 1, n.
        labels: Name of the class of each.
        ids: Number of the track of each; None before tracking.
        details: Further facts of each, as they are given in events: ``text``, ``speed_m_s``.
        outlines: Corners of tilted boxes, n x 4 x 2; None where they are upright.
    """

    pixels: np.ndarray
    corners: np.ndarray
    scores: np.ndarray
    labels: Tuple[str, ...]
    ids: Optional[np.ndarray] = None
    details: Tuple[Mapping[str, Any], ...] = ()
    outlines: Optional[np.ndarray] = None

    @property
    def size(self) -> int:
        """Number of objects."""
        return len(self.labels)

    def chosen(self, index: np.ndarray) -> Objects:
        """Return some of them, by their numbers or as a mask."""
        numbers = np.flatnonzero(index) if index.dtype == bool else index
        return self._replace(
            corners=self.corners[numbers],
            scores=self.scores[numbers],
            labels=tuple(self.labels[one] for one in numbers),
            ids=None if self.ids is None else self.ids[numbers],
            details=tuple(self.details[one] for one in numbers) if self.details else (),
            outlines=None if self.outlines is None else self.outlines[numbers],
        )

    def detail(self, number: int) -> Mapping[str, Any]:
        """Return the further facts of one object."""
        return self.details[number] if self.details else {}


class Event(NamedTuple):
    """Something that happened, as an app has found it.

    Attributes:
        kind: Such as ``crossing``; chosen by the step.
        step: Name of the step that found it.
        details: The rest, as plain data.
        id: Given when it is stored; the same on each delivery.
    """

    kind: str
    step: str
    stamp: FrameStamp
    details: Mapping[str, Any] = {}
    id: str = ""

    def to_json(self) -> Dict[str, Any]:
        """Return it as plain data."""
        stamp = self.stamp
        return {
            "id": self.id,
            "kind": self.kind,
            "source": stamp.source,
            "step": self.step,
            "time": round(stamp.wall, 3),
            "at_s": round(stamp.time, 3),
            "frame": stamp.number,
            **self.details,
        }


class StepOutput(NamedTuple):
    """Result of a step for one frame.

    Attributes:
        value: Of the kind that the step gives; None for none.
    """

    value: Any = None
    events: Tuple[Event, ...] = ()


NOTHING = StepOutput()
