"""Axes and marks of a chart, painted with QPainter: quick enough for the window's own thread."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from studio.gui.theme import Theme
from studio.lazy_dataclass import dataclass

TEXT_PIXELS = 12
_GAP = 5.0
_TICK = 4.0
_PIECE = 24


def number_text(value: float) -> str:
    """Return a number on an axis: ``0.25``, ``1200``."""
    return f"{value:g}" if abs(value) < 1e6 else f"{value:.3g}"


def share_text(value: float) -> str:
    """Return a share on an axis: ``97.5 %``."""
    return f"{100 * value:.4g} %"


def ticks(low: float, high: float, count: int) -> list[float]:
    """At most about ``count`` round numbers (1, 2, 2.5 or 5 times a power of ten) in a range."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return []
    power = 10.0 ** math.floor(math.log10(span / count))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if span / (each * power) <= count)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Axis:
    """A range with its title.

    Attributes:
        text: How a tick is written.
        count: Most ticks.
        places: Places of the ticks with their texts, instead of round numbers.
    """

    low: float
    high: float
    title: str = ""
    text: Callable[[float], str] = number_text
    count: int = 5
    places: tuple[tuple[float, str], ...] | None = None

    def marks(self) -> list[tuple[float, str]]:
        """Return where ticks are, and what stands at them."""
        if self.places is not None:
            return list(self.places)
        return [(value, self.text(value)) for value in ticks(self.low, self.high, self.count)]

    def share(self, value: float) -> float:
        """Return where a value lies: 0 at the low end, 1 at the high one."""
        return (value - self.low) / ((self.high - self.low) or 1.0)


class Plot:
    """One picture while it is painted.

    Attributes:
        area: Where the values are, once the axes are there.
        spots: Places and the keys that a click on them selects, filled by the drawing.
        rects: The same for areas.
    """

    def __init__(self, painter: QPainter, rect: QRectF, theme: Theme) -> None:
        self.painter = painter
        self.theme = theme
        self.rect = rect
        self.area = rect.adjusted(_GAP, _GAP, -_GAP, -_GAP)
        self.spots: list[tuple[QPointF, int]] = []
        self.rects: list[tuple[QRectF, int]] = []
        font = QFont(painter.font())
        font.setPixelSize(TEXT_PIXELS)
        painter.setFont(font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._metrics = QFontMetricsF(font)
        self._x = self._y = Axis(0, 1)

    def frame(self, x: Axis, y: Axis | None, *, top: float = 0.0, grid: bool = True) -> None:
        """Paint the axes, and leave the rest to the values.

        Args:
            y: None for no vertical axis at all.
            top: Room above the values, for a legend.
        """
        self._x, self._y = x, y or Axis(0, 1)
        line = self._metrics.height()
        bottom = line + _TICK + (line if x.title else 0.0)
        left, above = _GAP, top
        marks = y.marks() if y is not None else []
        if y is not None:
            left += max((self.width(text) for _, text in marks), default=0.0) + _TICK + _GAP
            above += line if y.title else 0.0
        self.area = self.rect.adjusted(left, above + _GAP, -2 * _GAP, -bottom - 2.0)
        self._horizontal(x)
        if y is not None:
            self._vertical(y, marks, above, grid)

    def _horizontal(self, axis: Axis) -> None:
        area, line = self.area, self._metrics.height()
        self.pen("border")
        self.painter.drawLine(area.bottomLeft(), area.bottomRight())
        end = -math.inf
        for value, text in axis.marks():
            x = self.x(value)
            self.pen("border")
            self.painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + _TICK))
            half = self.width(text) / 2
            if x - half < end or x + half > self.rect.right():
                continue  # it would run into its neighbour, or out of the picture
            end = x + half + 2 * _GAP
            self.text(QPointF(x, area.bottom() + _TICK + line / 2), text, "dim", 0)
        if axis.title:
            middle = QPointF(area.center().x(), self.rect.bottom() - line / 2)
            self.text(middle, self.fitted(axis.title, area.width()), "dim", 0)

    def _vertical(
        self, axis: Axis, marks: Sequence[tuple[float, str]], above: float, grid: bool
    ) -> None:
        area = self.area
        for value, text in marks:
            y = self.y(value)
            if grid:
                self.pen("border", 0.6)
                self.painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            self.text(QPointF(area.left() - _TICK, y), text, "dim", -1)
        if axis.title:
            place = QPointF(self.rect.left() + _GAP, self.rect.top() + above - self.line / 2)
            self.text(place, self.fitted(axis.title, self.rect.width() - 2 * _GAP), "dim", 1)

    # Places

    def x(self, value: float) -> float:
        """Return the place of a value on the horizontal axis."""
        return self.area.left() + self._x.share(value) * self.area.width()

    def y(self, value: float) -> float:
        """Return the place of a value on the vertical axis."""
        return self.area.bottom() - self._y.share(value) * self.area.height()

    def at(self, x: float, y: float) -> QPointF:
        """Return the place of a pair of values."""
        return QPointF(self.x(x), self.y(y))

    @property
    def line(self) -> float:
        """Height of a line of text."""
        return self._metrics.height()

    def width(self, text: str) -> float:
        """Width of a text."""
        return self._metrics.horizontalAdvance(text)

    def fitted(self, text: str, width: float) -> str:
        """Return a text, shortened where it is wider than there is room."""
        return self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)

    # Marks

    def color(self, token: str, alpha: float = 1.0) -> QColor:
        """Return a colour of the theme."""
        color = QColor(self.theme.colors[token])
        color.setAlphaF(alpha)
        return color

    def pen(self, token: str, width: float = 1.0, *, dashed: bool = False) -> None:
        """Set the pen of the next lines; nothing is filled."""
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        self.painter.setPen(QPen(self.color(token), width, style, Qt.PenCapStyle.RoundCap))
        self.painter.setBrush(Qt.BrushStyle.NoBrush)

    def curve(
        self, points: Sequence[tuple[float, float]], token: str, width: float = 1.6,
        *, dashed: bool = False,
    ) -> None:  # fmt: skip
        """A line through values, kept within the area."""
        self.painter.save()
        self.painter.setClipRect(self.area.adjusted(-1, -2, 1, 2))
        self.pen(token, width, dashed=dashed)
        places = [self.at(x, y) for x, y in points]
        # The outline of a long jagged line takes 100 ms to find; its pieces take a tenth of it.
        length = max(len(places), 1) if dashed else _PIECE
        for begin in range(0, max(len(places) - 1, 1), length):
            self.painter.drawPolyline(QPolygonF(places[begin : begin + length + 1]))
        self.painter.restore()

    def filled(self, points: Sequence[QPointF], token: str, alpha: float) -> None:
        """A filled shape between places."""
        self.painter.save()
        self.painter.setClipRect(self.area)
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(self.color(token, alpha))
        self.painter.drawPolygon(QPolygonF(points))
        self.painter.restore()

    def bar(self, rect: QRectF, token: str, alpha: float = 1.0) -> None:
        """A filled rectangle."""
        self.painter.fillRect(rect.intersected(self.area), self.color(token, alpha))

    def filled_outside(self, rect: QRectF, token: str, alpha: float) -> None:
        """A filled rounded rectangle that may leave the area: a flag, a note."""
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(self.color(token, alpha))
        self.painter.drawRoundedRect(rect, 3, 3)

    def triangle(self, tip: QPointF, token: str) -> None:
        """A small triangle that points down at a place."""
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(self.color(token))
        corners = [tip, tip + QPointF(-4, -5), tip + QPointF(4, -5)]
        self.painter.drawPolygon(QPolygonF(corners))

    def dot(self, place: QPointF, token: str, radius: float = 3.5) -> None:
        """A filled point."""
        self.painter.setPen(Qt.PenStyle.NoPen)
        self.painter.setBrush(self.color(token))
        self.painter.drawEllipse(place, radius, radius)

    def ring(self, place: QPointF, token: str, radius: float = 3.0) -> None:
        """A point of which only the edge is drawn."""
        self.pen(token, 1.2)
        self.painter.drawEllipse(place, radius, radius)

    def text(self, place: QPointF, text: str, token: str = "text", side: int = 1) -> None:
        """Draw a line of text right of a point (1), centred on it (0), or left of it (-1)."""
        width = self.width(text) + 1
        left = place.x() - (width if side < 0 else width / 2 if side == 0 else 0.0)
        box = QRectF(left, place.y() - self.line / 2, width, self.line)
        self.painter.setPen(self.color(token))
        self.painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def legend(self, names: Sequence[tuple[str, str]]) -> None:
        """Token and name of each series in a row at the top; what finds no room is left out."""
        left, y = self.area.left(), self.rect.top() + self.line / 2 + 1
        for token, name in names:
            if left + 20 + self.width(name) > self.rect.right():
                return
            self.pen(token, 2.4)
            self.painter.drawLine(QPointF(left, y), QPointF(left + 14, y))
            self.text(QPointF(left + 19, y), name, "dim")
            left += 19 + self.width(name) + 14
