"""A light rolling line chart for live figures, painted directly."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.gui import figures
from studio.gui.theme import Theming

KEPT = 120
_EDGE = 4
_TEXT_ROW = 16


class LiveChart(QWidget):
    """The last samples of one or a few series, on one axis that starts at zero.

    Args:
        theming: Where the colours come from.
        name: For a screen reader.
        series: Theme token and name of each line.
        unit: Shown behind the top of the axis.
    """

    def __init__(
        self, theming: Theming, name: str, series: Sequence[tuple[str, str]], unit: str
    ) -> None:
        super().__init__()
        self._theming = theming
        self._series = tuple(series)
        self._unit = unit
        self._name = name
        self._samples: deque[tuple[float | None, ...]] = deque(maxlen=KEPT)
        self.setMinimumSize(QSize(160, 80))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(name)
        theming.changed.connect(self.update)

    def add(self, *values: float | None) -> None:
        """Add one sample of every series; None leaves a gap."""
        self._samples.append(values)
        self.setAccessibleDescription(self._spoken(values))
        self.update()

    def clear(self) -> None:
        """Forget all samples."""
        self._samples.clear()
        self.setAccessibleDescription("")
        self.update()

    def top(self) -> float:
        """Return the upper end of the axis: a round number above all samples."""
        known = [value for sample in self._samples for value in sample if value is not None]
        return round_up(max(known, default=1.0) or 1.0)

    def _spoken(self, values: Sequence[float | None]) -> str:
        parts = (
            f"{name} {figures.milliseconds(value)} {self._unit}"
            for (_token, name), value in zip(self._series, values, strict=True)
        )
        return ", ".join(parts)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint axis, lines and the names of the lines."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0, _TEXT_ROW + _EDGE, 0, -_EDGE)
        self._paint_axis(painter, area)
        top = self.top()
        for index, (token, _name) in enumerate(self._series):
            self._paint_line(painter, area, index, self._theming.current.color(token), top)
        self._paint_names(painter)

    def _paint_axis(self, painter: QPainter, area: QRectF) -> None:
        theme = self._theming.current
        painter.setPen(QPen(theme.color("border"), 1))
        for share in (0.0, 0.5, 1.0):
            y = round(area.bottom() - share * area.height()) + 0.5
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(theme.color("dim"))
        text = f"{self.top():g} {self._unit}"
        row = QRectF(area.left(), 0, area.width(), _TEXT_ROW)
        painter.drawText(row, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_line(
        self, painter: QPainter, area: QRectF, index: int, color: QColor, top: float
    ) -> None:
        painter.setPen(QPen(color, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        step = area.width() / (KEPT - 1)
        first = KEPT - len(self._samples)  # the newest sample is always at the right edge
        line = QPolygonF()
        for position, sample in enumerate(self._samples):
            value = sample[index]
            if value is None:
                painter.drawPolyline(line)
                line = QPolygonF()
                continue
            x = area.left() + (first + position) * step
            line.append(QPointF(x, area.bottom() - value / top * area.height()))
        painter.drawPolyline(line)

    def _paint_names(self, painter: QPainter) -> None:
        if len(self._series) < 2:
            return
        theme = self._theming.current
        right = float(self.width())
        metrics = painter.fontMetrics()
        for token, name in reversed(self._series):
            width = metrics.horizontalAdvance(name)
            painter.setPen(theme.color("dim"))
            where = QRectF(right - width, 0, width + 1, _TEXT_ROW)
            painter.drawText(where, Qt.AlignmentFlag.AlignVCenter, name)
            painter.setPen(QPen(theme.color(token), 2))
            middle = _TEXT_ROW / 2
            painter.drawLine(
                QPointF(right - width - 20, middle), QPointF(right - width - 6, middle)
            )
            right -= width + 32


def round_up(value: float) -> float:
    """Return the least round number (1, 1.5, 2, 3 ... times a power of ten) not below a value."""
    power = 1e-9
    while True:
        for step in (1, 1.5, 2, 3, 4, 5, 6, 8):
            if value <= step * power * (1 + 1e-9):
                return float(f"{step * power:.3g}")
        power *= 10
