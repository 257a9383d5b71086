"""Figures of corruptions by severity as a table of colours."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor

from studio.gui.charts.chart import Drawing
from studio.gui.charts.plot import Plot
from studio.lazy_dataclass import dataclass

LINE = 24
"""Pixels of a line."""

FRAME = 44
"""Pixels of a drawing beyond its lines."""

_STOPS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Viridis at equal steps."""

_NAMES = 210.0
_WIDEST = 120.0
_DARK = 0.4


def viridis(share: float) -> QColor:
    """Return the colour of a share from 0 to 1."""
    place = min(max(share, 0.0), 1.0) * (len(_STOPS) - 1)
    first = min(int(place), len(_STOPS) - 2)
    part = place - first
    pair = zip(_STOPS[first], _STOPS[first + 1], strict=True)
    return QColor(*(round(low + part * (high - low)) for low, high in pair))


def ink_on(color: QColor) -> QColor:
    """Return black or white, whichever is easier to read on a colour."""
    return QColor("#ffffff" if _luminance(color) < _DARK else "#000000")


def _luminance(color: QColor) -> float:
    return 0.2126 * color.redF() + 0.7152 * color.greenF() + 0.0722 * color.blueF()


@dataclass(frozen=True, slots=True)
class HeatLine:
    """A corruption: its family, its name, and its figure at each severity."""

    family: str
    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class SeverityHeat(Drawing):
    """A line for each corruption, a column for each severity; the first one is clean."""

    severities: tuple[int, ...]
    clean: float
    lines: tuple[HeatLine, ...]

    def description(self) -> str:
        """Return the lowest figure of each corruption."""
        worst = [
            f"{one.name} {min(value for value in one.values if value is not None):.0%}"
            for one in self.lines
            if any(value is not None for value in one.values)
        ]
        return f"Clean {self.clean:.0%}. Lowest: {', '.join(worst)}."

    def draw(self, plot: Plot) -> None:
        """Draw the cells with their figures."""
        names = min(_NAMES, 0.42 * plot.rect.width())
        room = plot.rect.width() - names - 4
        width = min(_WIDEST, room / (len(self.severities) + 1))
        heads = ("clean", *(f"severity {number}" for number in self.severities))
        if plot.width(heads[-1]) > width - 4:
            heads = ("clean", *(str(number) for number in self.severities))
        for place, text in enumerate(heads):
            x = plot.rect.left() + names + (place + 0.5) * width
            plot.text(QPointF(x, plot.rect.top() + LINE / 2), text, "dim", 0)
        family = ""
        for number, line in enumerate(self.lines):
            top = plot.rect.top() + (number + 1) * LINE
            title = line.name if line.family == family else f"{line.name} ({line.family})"
            family = line.family
            start = QPointF(plot.rect.left() + 4, top + LINE / 2)
            plot.text(start, plot.fitted(title, names - 10))
            for column, value in enumerate((self.clean, *line.values)):
                cell = QRectF(plot.rect.left() + names + column * width, top, width - 2, LINE - 2)
                self._cell(plot, cell, value)

    @staticmethod
    def _cell(plot: Plot, cell: QRectF, value: float | None) -> None:
        if value is None:
            plot.text(cell.center(), "–", "dim", 0)
            return
        color = viridis(value)
        plot.painter.fillRect(cell, color)
        plot.painter.setPen(ink_on(color))
        plot.painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, f"{100 * value:.1f} %")
