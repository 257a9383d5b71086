"""Values over time that a chart shows, in arrays of bounded length, and the shared range."""

from __future__ import annotations

import bisect
import itertools
import math
from array import array
from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject, Signal

from studio.lazy_dataclass import dataclass

KEPT = 20_000
"""Points of a chart: five and a half hours of one each second; half of them are thinned out."""
_LEAST_SPAN = 5.0
_LOOKED = 1000
_GAP = -1.0
"""A missing value: no value is below zero, and the maximum of a slice is found without Python."""


@dataclass(frozen=True, slots=True)
class Marker:
    """An event at a time: a deployment, a rollback or an alert.

    Attributes:
        at: Seconds since 1970.
        token: Theme token of its colour.
    """

    at: float
    text: str
    token: str


class TimeData:
    """Points of one or a few series at common times, the oldest first."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._at = array("d")
        self._columns = tuple(array("d") for _ in names)

    def __len__(self) -> int:
        return len(self._at)

    def add(self, at: float, values: Sequence[float | None]) -> None:
        """Add a point; None leaves a gap. A clock that was set back inserts it in its place."""
        place = len(self._at)
        if place and at < self._at[-1]:
            place = bisect.bisect_right(self._at, at)
        self._at.insert(place, at)
        for column, value in zip(self._columns, values, strict=True):
            column.insert(place, _GAP if value is None or value != value else max(value, 0.0))
        if len(self._at) > KEPT:
            self._thin()

    def _thin(self) -> None:
        """Keep every second point of the older half."""
        half = KEPT // 2
        for column in (self._at, *self._columns):
            column[:half] = column[:half:2]

    def clear(self) -> None:
        """Forget all points."""
        del self._at[:]
        for column in self._columns:
            del column[:]

    @property
    def first(self) -> float | None:
        """Time of the oldest point."""
        return self._at[0] if self._at else None

    @property
    def last(self) -> float | None:
        """Time of the newest point."""
        return self._at[-1] if self._at else None

    def places(self, low: float, high: float) -> range:
        """Return the places of the points in a range, and of the neighbour at each end."""
        begin = bisect.bisect_left(self._at, low)
        end = bisect.bisect_right(self._at, high)
        return range(max(begin - 1, 0), min(end + 1, len(self._at)))

    def nearest(self, at: float) -> int:
        """Return the place of the point nearest to a time; -1 without any."""
        if not self._at:
            return -1
        place = bisect.bisect_left(self._at, at)
        near = [one for one in (place - 1, place) if 0 <= one < len(self._at)]
        return min(near, key=lambda one: abs(self._at[one] - at))

    def time(self, place: int) -> float:
        """Return the time of a point."""
        return self._at[place]

    def value(self, series: int, place: int) -> float | None:
        """Return the value of a series at a point."""
        value = self._columns[series][place]
        return None if value < 0 else value

    def peak(self, series: int, begin: int, end: int) -> tuple[float, float | None]:
        """Return time and value of the highest point of some places."""
        piece = self._columns[series][begin:end]
        place = begin + (piece.index(max(piece)) if end - begin > 1 else 0)
        return self._at[place], self.value(series, place)

    def most(self, places: range) -> float:
        """Return the highest value of all series; 0 without any."""
        pieces = (column[places.start : places.stop] for column in self._columns)
        return max((max(piece) for piece in pieces if piece), default=0.0)

    def usual_step(self, places: range) -> float:
        """Return the median distance of some points; infinite for one or none."""
        times = self._at[places.start : places.stop]
        steps = sorted(b - a for a, b in itertools.pairwise(times[-_LOOKED:]))
        return steps[len(steps) // 2] if steps else math.inf

    def rows(self) -> Iterator[tuple[float, tuple[float | None, ...]]]:
        """Return each point with the values of all series."""
        for place, at in enumerate(self._at):
            yield at, tuple(self.value(one, place) for one in range(len(self._columns)))


class TimeRange(QObject):
    """The time that several charts show together.

    Without a zoom it is the last ``span`` seconds up to now.

    Signals:
        changed: Another range, zoomed or not.
    """

    changed = Signal()

    def __init__(self, span: float) -> None:
        super().__init__()
        self.span = span
        self._now = 0.0
        self._zoomed: tuple[float, float] | None = None

    @property
    def is_zoomed(self) -> bool:
        """Whether the user has chosen a range."""
        return self._zoomed is not None

    @property
    def bounds(self) -> tuple[float, float]:
        """Begin and end in seconds since 1970."""
        return self._zoomed or (self._now - self.span, self._now)

    def move(self, now: float) -> None:
        """Let the range end at a later time, unless it is zoomed."""
        self._now = now
        if not self.is_zoomed:
            self.changed.emit()

    def choose_span(self, span: float) -> None:
        """Show the last seconds up to now."""
        self.span, self._zoomed = span, None
        self.changed.emit()

    def zoom(self, low: float, high: float) -> None:
        """Show a range; it is at least 5 s long, and ends now at the latest."""
        middle = (low + high) / 2
        half = max(high - low, _LEAST_SPAN) / 2
        low, high = middle - half, middle + half
        beyond = max(high - self._now, 0.0)
        self._zoomed = (low - beyond, high - beyond)
        self.changed.emit()

    def scale(self, factor: float, at: float) -> None:
        """Zoom in (below 1) or out around a time; as long as the whole span is a reset."""
        low, high = self.bounds
        if (high - low) * factor >= self.span:
            self.reset()
            return
        self.zoom(at - (at - low) * factor, at + (high - at) * factor)

    def shift(self, seconds: float) -> None:
        """Move a zoomed range."""
        if self._zoomed is not None:
            low, high = self._zoomed
            self.zoom(low + seconds, high + seconds)

    def reset(self) -> None:
        """End the zoom."""
        if self._zoomed is not None:
            self._zoomed = None
            self.changed.emit()
