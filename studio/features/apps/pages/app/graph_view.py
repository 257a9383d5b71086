"""The graph of an app: boxes from left to right, joined by curves with what they carry."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QSizePolicy, QWidget

from studio.api.qt import plain_tip
from studio.features.apps.pages.app.live import Figures, box_lines
from studio.features.apps.pages.app.placement import BOX, BoxConnection, BoxPlacement, place
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID

if TYPE_CHECKING:
    from studio.features.apps.results import AppPart

_RADIUS = 6
_STRIPE = 4
_SMALL, _CAPTION = 12, 11
_MOST_HEIGHT = 288
_TOKENS = {"source": "terminal", "step": "convolution", "sink": "other"}
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class PartBox(QAbstractButton):
    """One source, step or sink with its figures."""

    def __init__(self, part: AppPart, theming: Theming, parent: QWidget) -> None:
        super().__init__(parent)
        self.part = part
        self._theming = theming
        self.words, self.tone = "", ""
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(BOX.toSize())
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.show_words("", "")

    def show_words(self, words: str, tone: str) -> None:
        """Show other figures."""
        self.words, self.tone = words, tone
        part = self.part
        inputs = f", from {', '.join(part.inputs)}" if part.inputs else ""
        figures = f", {words}" if words else ""
        self.setAccessibleName(f"{part.name}, {part.group} {part.type}{inputs}{figures}")
        self.setToolTip(plain_tip(f"{part.summary}\n{words}".strip()))
        self.update()

    def sizeHint(self) -> QSize:
        return BOX.toSize()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave arrow keys to the graph, which knows the places of the boxes."""
        if event.key() in _ARROWS:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the box in the colours of the theme."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        left, width = _STRIPE + GRID, self.width() - _STRIPE - 2 * GRID
        lines = (
            (9, self.part.name, "text", 0, QFont.Weight.DemiBold),
            (29, self.part.type, "dim", _SMALL, QFont.Weight.Normal),
            (48, self.words, self._words_token(), _CAPTION, QFont.Weight.Normal),
        )
        for top, text, token, size, weight in lines:
            font = QFont(self.font())
            font.setWeight(weight)
            if size:
                font.setPixelSize(size)
            painter.setFont(font)
            painter.setPen(self._theming.current.color(token))
            metrics = painter.fontMetrics()
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
            place_of = QRectF(left, top, width, metrics.height())
            painter.drawText(place_of, Qt.AlignmentFlag.AlignVCenter, shown)

    def _words_token(self) -> str:
        return self.tone if self.tone in ("", "dim") and self.tone else _text_token(self.tone)

    def _paint_ground(self, painter: QPainter) -> None:
        theme = self._theming.current
        is_lit = self.isChecked() or self.hasFocus()
        edge = "accent" if is_lit else "border_strong" if self.underMouse() else "border"
        width = 2.0 if is_lit else 1.0
        ground = QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2)
        path = QPainterPath()
        path.addRoundedRect(ground, _RADIUS, _RADIUS)
        token = "accent_ground" if self.isChecked() else "surface_2"
        painter.fillPath(path, theme.color(token))
        painter.save()
        painter.setClipPath(path)
        painter.fillRect(QRectF(0, 0, _STRIPE + 1, self.height()), self._stripe())
        painter.restore()
        painter.setPen(QPen(theme.color(edge), width))
        painter.drawPath(path)

    def _stripe(self) -> QColor:
        theme = self._theming.current
        if self.tone in ("bad", "warning"):
            return theme.color(self.tone)
        return theme.graph_color(_TOKENS[self.part.group])


class GraphBoxes(QWidget):
    """All boxes and the curves between them.

    Signals:
        chosen: Name of the part that the user selected; empty for none.
        reached: The box that the keyboard has moved to.
    """

    chosen = Signal(str)
    reached = Signal(QWidget)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.boxes: dict[str, PartBox] = {}
        self.placement = BoxPlacement({}, (), BOX)
        self.selected = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Graph of the app")
        theming.changed.connect(self.update)

    def show_parts(self, parts: Sequence[AppPart]) -> None:
        """Show another app; the selected part stays selected where it still exists."""
        for box in self.boxes.values():
            box.hide()
            box.deleteLater()
        self.placement = place(parts)
        self.boxes = {part.name: PartBox(part, self._theming, self) for part in parts}
        for name, box in self.boxes.items():
            box.move(self.placement.boxes[name].topLeft().toPoint())
            box.clicked.connect(lambda _checked=False, name=name: self._clicked(name))
            box.show()
        self.setFixedSize(self.placement.size.toSize())
        self.select(self.selected if self.selected in self.boxes else "")
        self.update()

    def show_figures(self, found: Figures | None) -> None:
        """Show the figures of a run in the boxes."""
        for box in self.boxes.values():
            box.show_words(*box_lines(box.part, found))

    def select(self, name: str) -> None:
        """Select a part without a signal."""
        self.selected = name
        for other, box in self.boxes.items():
            box.setChecked(other == name)
        self.update()

    def _clicked(self, name: str) -> None:
        self.select("" if name == self.selected else name)
        self.chosen.emit(self.selected)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move to the nearest box in the direction of an arrow key; Escape selects none."""
        key = Qt.Key(event.key())
        focused = self.focusWidget()
        if key in _ARROWS and isinstance(focused, PartBox):
            self._move(focused, *_ARROWS[key])
        elif key == Qt.Key.Key_Escape and self.selected:
            self._clicked(self.selected)
        else:
            super().keyPressEvent(event)

    def _move(self, box: PartBox, right: int, down: int) -> None:
        here = box.geometry().center()
        best: tuple[float, PartBox] | None = None
        for other in self.boxes.values():
            away = other.geometry().center() - here
            along = away.x() * right + away.y() * down
            across = abs(away.x() * down) + abs(away.y() * right)
            if along > 0 and (best is None or along + 2 * across < best[0]):
                best = along + 2 * across, other
        if best is not None:
            best[1].setFocus(Qt.FocusReason.OtherFocusReason)
            self.reached.emit(best[1])

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the curves below the boxes."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(_CAPTION)
        painter.setFont(font)
        for connection in self.placement.connections:
            self._paint_connection(painter, connection)
        named: list[QRectF] = []
        for connection in self.placement.connections:
            self._paint_kind(painter, connection, named)

    def _paint_connection(self, painter: QPainter, connection: BoxConnection) -> None:
        theme = self._theming.current
        is_lit = self.selected in (connection.source, connection.target)
        color = theme.graph_color("edge_lit" if is_lit else "edge")
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color, 1.5))
        painter.drawPath(_curve(connection.points))
        end = connection.points[-1]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawPolygon([end, end + QPointF(-7, -4), end + QPointF(-7, 4)])

    def _paint_kind(
        self, painter: QPainter, connection: BoxConnection, named: list[QRectF]
    ) -> None:
        """Write what a connection carries near its end; never twice at one place."""
        if not connection.kind:
            return
        metrics = painter.fontMetrics()
        width = metrics.horizontalAdvance(connection.kind) + GRID
        points = connection.points
        middle = (points[-2] + points[-1]) / 2
        ground = QRectF(middle.x() - width / 2 - 2, middle.y() - 8, width, 16)
        if any(ground.intersects(other) for other in named):
            return
        named.append(ground)
        theme = self._theming.current
        painter.fillRect(ground, theme.color("surface"))
        painter.setPen(theme.color("dim"))
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, connection.kind)


class GraphView(QScrollArea):
    """The graph at its natural size, scrolled where it is wider or higher than its room."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.boxes = GraphBoxes(theming)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(self.boxes)
        self.boxes.setProperty("role", "scrolled")
        self.setCornerWidget(QWidget())
        self.boxes.reached.connect(self.ensureWidgetVisible)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_parts(self, parts: Sequence[AppPart]) -> None:
        """Show another app, at its height, or scrolled where it is very high."""
        self.boxes.show_parts(parts)
        self._fit()
        QTimer.singleShot(0, self, self._show_first)  # when the bars know the new height

    def _show_first(self) -> None:
        """Scroll to the first part: in a high graph it is at half of the height."""
        first = next(iter(self.boxes.boxes.values()), None)
        if first is not None:
            middle = first.geometry().center().y() - self.viewport().height() // 2
            self.horizontalScrollBar().setValue(0)
            self.verticalScrollBar().setValue(middle)

    def resizeEvent(self, event: object) -> None:
        """Leave room for the horizontal scroll bar where there is one."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def _fit(self) -> None:
        bar = self.horizontalScrollBar().sizeHint().height()
        scrolls = self.boxes.width() > self.width()
        self.setFixedHeight(min(self.boxes.height(), _MOST_HEIGHT) + (bar if scrolls else 0))


def _curve(points: Sequence[QPointF]) -> QPainterPath:
    path = QPainterPath(points[0])
    for before, after in pairwise(points):
        if before.y() == after.y():
            path.lineTo(after)
            continue
        reach = QPointF((after.x() - before.x()) / 2, 0)
        path.cubicTo(before + reach, after - reach, after)
    return path


def _text_token(tone: str) -> str:
    return f"{tone}_text" if tone else "text"
