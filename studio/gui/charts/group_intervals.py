"""A figure of each group as a point with its interval, in rows below that of all samples."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Axis, Plot, number_text, share_text
from studio.lazy_dataclass import dataclass

ROW = 28
"""Pixels of a row."""

FRAME = 62
"""Pixels of a drawing beyond its rows."""

_NAMES = 0.24
_COUNT, _VALUE, _OVER = 56.0, 84.0, 26.0
_CAP = 4.0
_POINT = 4.5
_ROOM = 0.06


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One group.

    Attributes:
        key: Given when the row is clicked; -1 for a row that cannot be.
        value: None for a group without a sample.
        is_below: Whether it is below the required figure.
    """

    name: str
    samples: int
    value: float | None
    low: float | None
    high: float | None
    is_below: bool = False
    key: int = -1


@dataclass(frozen=True, slots=True)
class GroupIntervals(Drawing):
    """Rows of groups over one axis.

    Attributes:
        rows: The first one is that of all samples.
        required: Where the line of the lowest accepted figure is; None without one.
        is_share: Whether the figures are shares of 1, shown in percent.
    """

    title: str
    rows: tuple[IntervalRow, ...]
    required: float | None = None
    is_share: bool = True

    def description(self) -> str:
        """Return the figure of each group."""
        parts = [f"{one.name} {self.text(one.value)}{_below(one)}" for one in self.rows]
        line = "" if self.required is None else f" Required: {self.text(self.required)}."
        return f"{self.title}. {'; '.join(parts)}.{line}"

    def text(self, value: float | None) -> str:
        """Return a figure as people read it."""
        if value is None:
            return "no samples"
        return f"{100 * value:.1f} %" if self.is_share else f"{value:.3f}"

    def tooltip(self, key: int) -> str:
        """Return the interval of a group."""
        row = next((one for one in self.rows if one.key == key), None)
        if row is None or row.low is None or row.high is None:
            return ""
        interval = f"{self.text(row.low)} to {self.text(row.high)}"
        return f"{row.name}: {self.text(row.value)}, 95 % interval {interval}"

    def draw(self, plot: Plot) -> None:
        """Draw the rows from top to bottom."""
        whole = plot.rect
        names = max(_NAMES * whole.width(), 90.0)
        left, right = names + _COUNT, _VALUE
        width = whole.width() - left - right + _OVER  # for half of the last tick's text
        plot.rect = QRectF(whole.left() + left, whole.top(), width, whole.height())
        low, high = self._ends()
        text = share_text if self.is_share else number_text
        plot.frame(Axis(low, high, f"{self.title}, 95 % interval", text, 6), None, top=14)
        area = plot.area
        height = min(ROW, area.height() / max(len(self.rows), 1))
        self._grid(plot, Axis(low, high, text=text, count=6))
        for number, one in enumerate(self.rows):
            middle = area.top() + (number + 0.5) * height
            self._row(plot, one, middle, (whole.left(), names), is_first=number == 0)
            if one.key >= 0:
                plot.rects.append(
                    (QRectF(whole.left(), middle - height / 2, whole.width(), height), one.key)
                )
        self._limit(plot, height)

    def _ends(self) -> tuple[float, float]:
        values = [
            value
            for one in self.rows
            for value in (one.low, one.value, one.high)
            if value is not None and math.isfinite(value)
        ]
        if self.required is not None:
            values.append(self.required)
        low, high = min(values, default=0.0), max(values, default=1.0)
        room = max(_ROOM * (high - low), 0.005)
        top = min(high + room, 1.0) if self.is_share else high + room
        return (max(low - room, 0.0) if low >= 0 else low - room), max(top, high)

    @staticmethod
    def _grid(plot: Plot, axis: Axis) -> None:
        plot.pen("border", 0.6)
        for value, _text in axis.marks():
            x = plot.x(value)
            plot.painter.drawLine(QPointF(x, plot.area.top()), QPointF(x, plot.area.bottom()))

    def _row(
        self,
        plot: Plot,
        one: IntervalRow,
        middle: float,
        names: tuple[float, float],
        *,
        is_first: bool,
    ) -> None:
        token = "bad" if one.is_below else "text" if is_first else "accent"
        ink = "bad_text" if one.is_below else "text"
        left, width = names
        name = plot.fitted(one.name, width - 8)
        plot.text(QPointF(left, middle), name, ink if one.is_below else "text")
        plot.text(QPointF(left + width + _COUNT - 12, middle), f"{one.samples:,}", "dim", -1)
        mark = "▼ " if one.is_below else ""
        value = QPointF(plot.rect.right() - _OVER + _VALUE - 2, middle)
        plot.text(value, f"{mark}{self.text(one.value)}", ink, -1)
        if one.value is None:
            return
        plot.pen(token, 1.6)
        if one.low is not None and one.high is not None:
            begin, end = plot.x(one.low), plot.x(one.high)
            plot.painter.drawLine(QPointF(begin, middle), QPointF(end, middle))
            for x in (begin, end):
                plot.painter.drawLine(QPointF(x, middle - _CAP), QPointF(x, middle + _CAP))
        place = QPointF(plot.x(one.value), middle)
        if one.is_below:
            half = QPointF(_POINT, _POINT)
            plot.painter.fillRect(QRectF(place - half, place + half), plot.color(token))
        else:
            plot.dot(place, token, _POINT)

    def _limit(self, plot: Plot, height: float) -> None:
        line = plot.area.top() + height
        plot.pen("border")
        plot.painter.drawLine(QPointF(plot.rect.left(), line), QPointF(plot.area.right(), line))
        if self.required is None:
            return
        x = plot.x(self.required)
        plot.pen("bad", dashed=True)
        plot.painter.drawLine(QPointF(x, plot.area.top() - 4), QPointF(x, plot.area.bottom()))
        text = f"required {self.text(self.required)}"
        fits_left = x - plot.width(text) - 6 > plot.rect.left()
        side = -1 if fits_left else 1
        plot.text(QPointF(x + 5 * side, plot.area.top() - 9), text, "bad_text", side)


def _below(row: IntervalRow) -> str:
    return ", below the required figure" if row.is_below else ""
