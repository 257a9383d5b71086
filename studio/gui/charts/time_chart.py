"""A chart of values over time with hover, zoom, markers and export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFileDialog, QMenu, QSizePolicy, QWidget

from studio.api import StudioError
from studio.gui import figures
from studio.gui.charts.chart_export import FORMATS, write_picture, write_values
from studio.gui.charts.plot import Plot
from studio.gui.charts.time_data import Marker, TimeData, TimeRange
from studio.gui.charts.time_drawing import Line, TimeDrawing
from studio.gui.theme import Theming

_IN, _OUT = 0.8, 1.25
_LEAST_DRAG = 6.0
_STEP = 0.1


class TimeChart(QWidget):
    """The values of one or a few series over a range that several charts share.

    The wheel zooms, a drag chooses a range, a double click or 0 shows all again.

    Args:
        name: Of the quantity, for a screen reader and for the names of exported files.
        unit: Of all series.
        text: A value as text; figures of milliseconds by default.

    Signals:
        exported: A sentence about the written file.
        failed: The error of an export.
    """

    exported = Signal(str)
    failed = Signal(object)

    def __init__(
        self,
        theming: Theming,
        name: str,
        lines: Sequence[Line],
        unit: str,
        shared: TimeRange,
        text: Callable[[float | None], str] = figures.milliseconds,
    ) -> None:
        super().__init__()
        self._theming = theming
        self.name, self.unit = name, unit
        self.lines = tuple(lines)
        self.range = shared
        self.data = TimeData([line.name for line in lines])
        self.markers: list[Marker] = []
        self._text = text
        self._area = QRectF()
        self._hover: float | None = None
        self._pressed: QPointF | None = None
        self._drag: tuple[float, float] | None = None
        self.setMinimumSize(QSize(160, 56))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"{name}, {unit}")
        theming.changed.connect(self.update)
        shared.changed.connect(self.update)

    def add(self, at: float, *values: float | None) -> None:
        """Add a point of every series; None leaves a gap."""
        self.data.add(at, values)
        self.setAccessibleDescription(self.drawing().description())
        self.update()

    def show_markers(self, markers: Sequence[Marker]) -> None:
        """Show other events."""
        if list(markers) != self.markers:
            self.markers = list(markers)
            self.update()

    def show_points(self, points: Iterable[tuple[float, Sequence[float | None]]]) -> None:
        """Show other points."""
        self.data.clear()
        for at, values in points:
            self.data.add(at, values)
        self.setAccessibleDescription(self.drawing().description())
        self.update()

    def clear(self) -> None:
        """Forget all points."""
        self.data.clear()
        self.setAccessibleDescription("")
        self.update()

    def drawing(self) -> TimeDrawing:
        """Return what is shown now."""
        return TimeDrawing(
            self.data,
            self.lines,
            self.unit,
            self.range.bounds,
            self.markers,
            self._hover,
            self._drag,
            self._text,
            not self.range.is_zoomed,
        )

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the drawing, and a ring where the keyboard is."""
        painter = QPainter(self)
        plot = Plot(painter, QRectF(self.rect()), self._theming.current)
        self.drawing().draw(plot)
        self._area = plot.area
        if self.hasFocus():
            plot.pen("accent")
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()

    # Pointer and keys

    def _time(self, x: float) -> float:
        low, high = self.range.bounds
        share = (x - self._area.left()) / max(self._area.width(), 1.0)
        return low + min(max(share, 0.0), 1.0) * (high - low)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the pointer; a wheel that has nothing to zoom scrolls the page."""
        turned = event.angleDelta().y()
        if not turned or (turned < 0 and not self.range.is_zoomed):
            event.ignore()
            return
        self.range.scale(_IN if turned > 0 else _OUT, self._time(event.position().x()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin to choose a range."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._pressed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show the values under the pointer, or the range that is being chosen."""
        self._hover = self._time(event.position().x())
        if self._pressed is not None:
            self._drag = (self._time(self._pressed.x()), self._hover)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Show the chosen range."""
        pressed, chosen = self._pressed, self._drag
        self._pressed = self._drag = None
        if pressed is None or chosen is None:
            return
        if abs(event.position().x() - pressed.x()) >= _LEAST_DRAG:
            self.range.zoom(*sorted(chosen))
        self.update()

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """End the zoom."""
        self._pressed = self._drag = None
        self.range.reset()

    def leaveEvent(self, _event: QEvent) -> None:
        """Hide the values under the pointer."""
        self._hover = None
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Zoom with plus and minus, move with the arrows, show all with 0."""
        low, high = self.range.bounds
        middle, step = (low + high) / 2, _STEP * (high - low)
        moves: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Plus: lambda: self.range.scale(_IN, middle),
            Qt.Key.Key_Minus: lambda: self.range.scale(_OUT, middle),
            Qt.Key.Key_Left: lambda: self.range.shift(-step),
            Qt.Key.Key_Right: lambda: self.range.shift(step),
            Qt.Key.Key_0: self.range.reset,
        }
        move = moves.get(event.key())
        if move is None:
            super().keyPressEvent(event)
        else:
            move()

    # Export

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the exports."""
        self.export_menu(self).popup(event.globalPos())

    def export_menu(self, parent: QWidget) -> QMenu:
        """Return a menu of the formats."""
        menu = QMenu(parent)
        for suffix, title in FORMATS:
            menu.addAction(title, partial(self.choose_file, suffix))
        menu.addSeparator()
        menu.addAction("Reset zoom", self.range.reset).setEnabled(self.range.is_zoomed)
        return menu

    def choose_file(self, suffix: str) -> None:
        """Open the dialog for a path, and write the chart."""
        name = self.name.lower().replace(" ", "-").replace(",", "") + suffix
        kind = f"{suffix[1:].upper()} (*{suffix})"
        path, _ = QFileDialog.getSaveFileName(self, f"Export {self.name}", name, kind)
        if path:
            self.write(Path(path if path.endswith(suffix) else path + suffix))

    def write(self, path: Path) -> None:
        """Write the chart by the file's suffix: PNG and SVG as shown, CSV with all points."""
        try:
            if path.suffix == ".csv":
                write_values(path, self.data, self.markers, self.unit)
            else:
                write_picture(path, self.drawing(), self._theming.current, self.size())
        except StudioError as error:
            self.failed.emit(error)
        else:
            self.exported.emit(f"{self.name} exported to {path}.")
