"""The drawing of values over time: axes, lines, markers, and what is under the pointer."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot
from studio.gui.charts.time_axis import MOST_GRID_LINES, clock_text, time_ticks
from studio.gui.charts.time_data import Marker, TimeData
from studio.lazy_dataclass import dataclass

_FLAG_GAP = 6.0
_MOST_FLAG = 140.0
_GAP_FACTOR = 6.0
_LEAST_GAP_S = 90.0
_LOW_CHART = 120.0
_HEADROOM = 1.05


def round_up(value: float) -> float:
    """Return the least round number (1, 1.5, 2, 3 ... times a power of ten) not below a value."""
    power = 1e-9
    while True:
        for step in (1, 1.5, 2, 3, 4, 5, 6, 8):
            if value <= step * power * (1 + 1e-9):
                return float(f"{step * power:.3g}")
        power *= 10


@dataclass(frozen=True, slots=True)
class Line:
    """The look of a series.

    Attributes:
        token: Theme token of its colour.
    """

    token: str
    name: str


@dataclass(frozen=True, eq=False)
class TimeDrawing(Drawing):
    """Values of a range of time, on one axis that starts at zero.

    Attributes:
        hover: Time under the pointer.
        drag: A range that is being chosen.
        text: A value as text, without its unit.
    """

    data: TimeData
    lines: Sequence[Line]
    unit: str
    bounds: tuple[float, float]
    markers: Sequence[Marker] = ()
    hover: float | None = None
    drag: tuple[float, float] | None = None
    text: Callable[[float | None], str] = str
    follows: bool = True

    def draw(self, plot: Plot) -> None:
        """Paint everything."""
        low, high = self.bounds
        count = 3 if plot.rect.height() < _LOW_CHART else 5
        y = Axis(0.0, self.top(), count=count)
        has_texts = plot.rect.height() >= _LOW_CHART
        plot.frame(self._time_axis(plot.rect.width()), y, top=plot.line + 2 if has_texts else 4.0)
        if self.follows:
            below = QPointF(plot.area.right(), plot.area.bottom() + 4 + plot.line / 2)
            plot.text(below, "now", "dim", -1)
        if self.drag is not None:
            left, right = sorted(plot.x(each) for each in self.drag)
            area = plot.area
            box = QRectF(left, area.top(), right - left, area.height())
            plot.bar(box, "accent", 0.2)
        for number, line in enumerate(self.lines):
            for part in self._parts(number, plot):
                plot.curve(part, line.token)
                if len(part) == 1:
                    plot.dot(plot.at(*part[0]), line.token, 1.6)
        flags = [one for one in self.markers if low <= one.at <= high]
        self._flags(plot, flags, has_texts=has_texts)
        if self.hover is not None:
            self._under_pointer(plot, self.hover)

    def top(self) -> float:
        """Return the upper end of the axis: a round number above the values of the range."""
        return round_up(_HEADROOM * max(self.data.most(self.data.places(*self.bounds)), 0.0) or 1.0)

    def description(self) -> str:
        """Return the newest values in words."""
        last = len(self.data) - 1
        if last < 0:
            return "no values yet"
        parts = (
            f"{line.name} {self.text(self.data.value(number, last))} {self.unit}"
            for number, line in enumerate(self.lines)
        )
        return ", ".join(parts)

    def hovered(self, at: float) -> tuple[float, list[tuple[Line, str]]] | None:
        """Return the point nearest to a time: its time, and the value of each series as text."""
        place = self.data.nearest(at)
        low, high = self.bounds
        if place < 0 or not low <= self.data.time(place) <= high:
            return None
        texts = [
            (line, f"{self.text(self.data.value(number, place))} {self.unit}".strip())
            for number, line in enumerate(self.lines)
        ]
        return self.data.time(place), texts

    # Parts

    def _time_axis(self, width: float) -> Axis:
        low, high = self.bounds
        ticks = time_ticks(low, high, min(MOST_GRID_LINES, max(int(width / 80), 2)))
        if self.follows:
            room = (high - low) * 64 / max(width, 1.0)
            ticks = [one for one in ticks if one[0] < high - room]
        return Axis(low, high, places=tuple(ticks))

    def _parts(self, number: int, plot: Plot) -> list[list[tuple[float, float]]]:
        """Return the pieces of a line between gaps, with at most a few points for each pixel."""
        places = self.data.places(*self.bounds)
        usual = self.data.usual_step(places)
        step = max(len(places) // max(int(plot.area.width()), 1), 1)
        parts: list[list[tuple[float, float]]] = [[]]
        before = -math.inf
        for begin in range(places.start, places.stop, step):
            at, value = self.data.peak(number, begin, min(begin + step, places.stop))
            gap = max(_GAP_FACTOR * usual * step, _LEAST_GAP_S)
            if parts[-1] and (value is None or at - before > gap):
                parts.append([])
            before = at
            if value is not None:
                parts[-1].append((at, value))
        return [part for part in parts if part]

    def _flags(self, plot: Plot, markers: Sequence[Marker], *, has_texts: bool) -> None:
        """Paint a dashed line for each marker, with its text or, without room, with a mark."""
        begin = math.inf
        for marker in sorted(markers, key=lambda one: one.at, reverse=True):
            x, top = plot.x(marker.at), plot.area.top()
            plot.pen(marker.token, 1.2, dashed=True)
            plot.painter.drawLine(QPointF(x, top), QPointF(x, plot.area.bottom()))
            text = plot.fitted(marker.text, _MOST_FLAG)
            width = plot.width(text) + 2 * _FLAG_GAP
            left = min(x, plot.rect.right() - width)
            if not has_texts or left + width > begin:
                plot.triangle(QPointF(x, top), marker.token)
                continue
            begin = left - 2
            box = QRectF(left, top - plot.line - 1, width, plot.line)
            plot.filled_outside(box, marker.token, 0.25)
            plot.text(QPointF(left + _FLAG_GAP, box.center().y()), text)

    def _under_pointer(self, plot: Plot, at: float) -> None:
        found = self.hovered(at)
        if found is None:
            return
        time, texts = found
        x = plot.x(time)
        plot.pen("dim", 1.0)
        plot.painter.drawLine(QPointF(x, plot.area.top()), QPointF(x, plot.area.bottom()))
        place = self.data.nearest(at)
        for number, line in enumerate(self.lines):
            value = self.data.value(number, place)
            if value is not None:
                plot.dot(plot.at(time, value), line.token, 3.0)
        low, high = self.bounds
        shown = [clock_text(time, high - low), *(f"{one.name} {text}" for one, text in texts)]
        shown += [one.text for one in self.markers if abs(plot.x(one.at) - x) < 6]
        width = max(plot.width(text) for text in shown) + 12
        left = x + 10 if x + 10 + width < plot.rect.right() else x - 10 - width
        top = min(plot.area.top() + 4, plot.rect.bottom() - len(shown) * plot.line - 8)
        box = QRectF(left, top, width, len(shown) * plot.line + 6)
        plot.filled_outside(box, "surface_3", 0.95)
        for number, text in enumerate(shown):
            token = "dim" if number == 0 else "text"
            plot.text(QPointF(left + 6, top + 3 + (number + 0.5) * plot.line), text, token)
