"""The newest frame with lines and areas over it, which are drawn and moved with mouse or keys."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QMargins, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.features.apps.pages.app.shape_editor import ShapeEditor
from studio.features.apps.pages.app.shapes import AREA, LINES, Point, Shape
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID

_TRIES = 12


def name_places(wanted: Sequence[QRectF], area: QRectF) -> list[QRectF | None]:
    """Return a place for each name, near the wanted one and inside the area.

    The first names have the first choice. None: there is no free place near.
    """
    found: list[QRectF | None] = []
    for one in wanted:
        found.append(_free(_inside(one, area), area, [other for other in found if other]))
    return found


def _free(wanted: QRectF, area: QRectF, taken: Sequence[QRectF]) -> QRectF | None:
    step = wanted.height() + 2
    for number in range(_TRIES):
        # Below, above, further below: the nearest free place is taken.
        away = step * ((number + 1) // 2) * (1 if number % 2 else -1)
        place = wanted.translated(0, away)
        fits = area.top() <= place.top() and place.bottom() <= area.bottom()
        if fits and not any(place.intersects(other) for other in taken):
            return place
    return None


def _inside(place: QRectF, area: QRectF) -> QRectF:
    left = min(max(place.left(), area.left()), area.right() - place.width())
    top = min(max(place.top(), area.top()), area.bottom() - place.height())
    return QRectF(left, top, place.width(), place.height())


_HANDLE, _REACH = 5, 11
_FAR = 10
_EDGE = 8
"""Room around the frame, so that points on its edge are not cut."""
_FILL = 0.18
EMPTY = "The picture appears when the app runs."
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_HELP = (
    "Page Down selects the next point, arrow keys move it, with Shift by 10 pixels. "
    "Delete removes it. Enter closes a new area, Escape ends drawing."
)


class Preview(QWidget):
    """A frame, as large as fits, with the shapes of the steps that see its source.

    Attributes:
        empty: Sentence without a frame.
        visible: Names of the steps whose shapes are shown; None: of all.
    """

    def __init__(self, theming: Theming, drawing: ShapeEditor) -> None:
        super().__init__()
        self._theming = theming
        self.drawing = drawing
        self.image = QImage()
        self.empty = EMPTY
        self.visible: frozenset[str] | None = None
        self._hover: QPointF | None = None
        self._dragging = False
        self.setMinimumSize(QSize(40 * GRID, 25 * GRID))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Preview")
        self.setAccessibleDescription(_HELP)
        theming.changed.connect(self.update)
        drawing.changed.connect(self._show_drawing)

    def show_frame(self, image: QImage, width: int, height: int) -> None:
        """Show another frame of a source of width x height pixels."""
        self.image = image
        self.drawing.frame = (width, height)
        self.update()

    def show_steps(self, steps: frozenset[str] | None) -> None:
        """Show the shapes of some steps; None: of all."""
        self.visible = steps
        self.update()

    def _show_drawing(self) -> None:
        drawing = self.drawing
        draws = drawing.pending is not None
        self.setCursor(Qt.CursorShape.CrossCursor if draws else Qt.CursorShape.ArrowCursor)
        at = ""
        if drawing.at is not None:
            number, place = drawing.at
            x, y = drawing.own()[number].points[place]
            at = f", point {place + 1} of {drawing.step} at {x:.0f}, {y:.0f}"
        self.setAccessibleName(f"Preview{at}")
        self.update()

    # Places

    def area(self) -> QRectF:
        """Return the place of the frame in the widget."""
        if self.image.isNull():
            return QRectF()
        room = self.size().shrunkBy(QMargins(_EDGE, _EDGE, _EDGE, _EDGE))
        size = self.image.size().scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        return QRectF(left, top, size.width(), size.height())

    def to_widget(self, point: Point) -> QPointF:
        """Return the place of a pixel of the frame in the widget."""
        area, (width, height) = self.area(), self.drawing.frame
        if not width or not height:
            return area.topLeft()
        x, y = point[0] * area.width() / width, point[1] * area.height() / height
        return area.topLeft() + QPointF(x, y)

    def to_frame(self, place: QPointF) -> Point:
        """Return the pixel of the frame at a place of the widget."""
        area, (width, height) = self.area(), self.drawing.frame
        if area.isEmpty():
            return 0.0, 0.0
        away = place - area.topLeft()
        return away.x() * width / area.width(), away.y() * height / area.height()

    def point_at(self, place: QPointF) -> tuple[int, int] | None:
        """Return the numbers of the nearest point of the edited step that can be reached."""
        best, found = float(_REACH), None
        for number, shape in enumerate(self.drawing.own()):
            for index, point in enumerate(shape.points):
                away = _length(self.to_widget(point) - place)
                if away <= best:
                    best, found = away, (number, index)
        return found

    def _edge_at(self, place: QPointF) -> tuple[int, int] | None:
        """Return the area, and the number of the point that a new one on its edge would have."""
        for number, shape in enumerate(self.drawing.own()):
            if shape.form != AREA:
                continue
            points = [self.to_widget(point) for point in shape.points]
            for index, (one, other) in enumerate(zip(points, points[1:] + points[:1], strict=True)):
                if _distance(place, one, other) <= _REACH / 2:
                    return number, index + 1
        return None

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self.image.isNull():
            return
        place, drawing = event.position(), self.drawing
        if drawing.pending is not None:
            first = drawing.pending[:1]
            closes = first and _length(self.to_widget(first[0]) - place) <= _REACH
            if not (closes and drawing.close()):
                drawing.add(self.to_frame(place))
            return
        drawing.select(self.point_at(place))
        self._dragging = drawing.at is not None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover = event.position()
        if self._dragging:
            self.drawing.move_to(self.to_frame(event.position()))
        elif self.drawing.pending is not None:
            self.update()
        else:
            near = self.point_at(event.position()) is not None
            shape = Qt.CursorShape.SizeAllCursor if near else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover = None
        self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._dragging = False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Close a new area, or add a point to the edge of an area."""
        if self.drawing.pending is not None:
            self.drawing.close()
        elif (edge := self._edge_at(event.position())) and self.point_at(event.position()) is None:
            self.drawing.insert(*edge, self.to_frame(event.position()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._take_key(Qt.Key(event.key()), event.modifiers()):
            super().keyPressEvent(event)

    def _take_key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> bool:
        drawing = self.drawing
        if drawing.pending is not None:
            return self._take_key_of_new(key)
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            drawing.select_next(back=key == Qt.Key.Key_PageUp)
        elif drawing.at is None:
            return False
        elif key in _ARROWS:
            by = _FAR if modifiers & Qt.KeyboardModifier.ShiftModifier else 1
            drawing.move_by(*(by * step for step in _ARROWS[key]))
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            drawing.remove()
        elif key == Qt.Key.Key_Escape:
            drawing.select(None)
        else:
            return False
        return True

    def _take_key_of_new(self, key: Qt.Key) -> bool:
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.drawing.close()
        elif key == Qt.Key.Key_Escape:
            self.drawing.cancel()
        elif key == Qt.Key.Key_Backspace:
            self.drawing.undo()
        else:
            return False
        return True

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    # Painting

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the frame and the shapes."""
        painter = QPainter(self)
        theme = self._theming.current
        if self.image.isNull():
            painter.setPen(theme.color("dim"))
            place = self.rect().adjusted(2 * GRID, 0, -2 * GRID, 0)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(place, flags, self.empty)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.drawImage(self.area(), self.image)
            self._paint_shapes(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("accent"), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_shapes(self, painter: QPainter) -> None:
        drawing = self.drawing
        others = [
            shape
            for shape in drawing.shapes
            if shape.step != drawing.step and (self.visible is None or shape.step in self.visible)
        ]
        own = list(drawing.own()) if drawing.pending is None else []
        for shape in others:
            self._paint_shape(painter, shape, "dim")
        for number, shape in enumerate(own):
            self._paint_shape(painter, shape, "accent")
            self._paint_handles(painter, number, shape)
        if drawing.pending is not None:
            self._paint_pending(painter, drawing.pending)
        self._paint_names(painter, own, others)

    def _paint_shape(self, painter: QPainter, shape: Shape, token: str) -> None:
        theme = self._theming.current
        color = theme.color("accent" if token == "accent" else "on_fill")
        points = [self.to_widget(point) for point in shape.points]
        if shape.closed:
            fill = QColor(color)
            fill.setAlphaF(_FILL if token == "accent" else _FILL / 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawPolygon(QPolygonF(points))
        self._stroke(painter, points, color, closed=shape.closed)

    def _stroke(
        self, painter: QPainter, points: Sequence[QPointF], color: QColor, *, closed: bool
    ) -> None:
        """Draw a line with a dark edge, so that it is seen on any picture."""
        ring = [*points, points[0]] if closed else list(points)
        edge = self._theming.current.graph_color("ink")
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(edge, 4), QPen(color, 2)):
            painter.setPen(pen)
            painter.drawPolyline(ring)

    def _paint_names(
        self, painter: QPainter, own: Sequence[Shape], others: Sequence[Shape]
    ) -> None:
        """Paint each name once, next to its shape; the edited step has the first choice."""
        lit = {shape.step: shape for shape in reversed(own)}
        rest = {shape.step: shape for shape in reversed(others)}
        shapes = [*lit.values(), *rest.values()]
        wanted = [self._name_place(painter, shape) for shape in shapes]
        for shape, place in zip(shapes, name_places(wanted, self.area()), strict=True):
            if place is not None:
                self._paint_name(painter, shape.step, place, is_lit=shape.step in lit)

    def _name_place(self, painter: QPainter, shape: Shape) -> QRectF:
        metrics, place = painter.fontMetrics(), self.to_widget(shape.points[0])
        width, height = metrics.horizontalAdvance(shape.step) + GRID, metrics.height() + 2
        return QRectF(place.x() + GRID, place.y() - height - GRID, width, height)

    def _paint_name(self, painter: QPainter, text: str, ground: QRectF, *, is_lit: bool) -> None:
        theme = self._theming.current
        painter.fillRect(ground, theme.color("accent_fill" if is_lit else "surface_3"))
        painter.setPen(theme.color("on_fill" if is_lit else "text"))
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_handles(self, painter: QPainter, number: int, shape: Shape) -> None:
        theme = self._theming.current
        for index, point in enumerate(shape.points):
            chosen = self.drawing.at == (number, index)
            painter.setPen(QPen(theme.graph_color("ink"), 1))
            painter.setBrush(theme.color("accent_fill" if chosen else "on_fill"))
            size = _HANDLE + 2 if chosen else _HANDLE
            painter.drawEllipse(self.to_widget(point), size, size)

    def _paint_pending(self, painter: QPainter, pending: Sequence[Point]) -> None:
        theme = self._theming.current
        points = [self.to_widget(point) for point in pending]
        groups = [points[:2], points[2:]] if self.drawing.form == LINES else [points]
        for number, group in enumerate(groups):
            is_open = len(group) < 2 or self.drawing.form != LINES
            is_last = number == len(groups) - 1 or len(points) <= 2
            drawn = group
            if group and is_open and is_last and self._hover is not None:
                drawn = [*group, self._hover]
            if len(drawn) > 1:
                self._stroke(painter, drawn, theme.color("accent"), closed=False)
        painter.setPen(QPen(theme.graph_color("ink"), 1))
        painter.setBrush(theme.color("on_fill"))
        for place in points:
            painter.drawEllipse(place, _HANDLE, _HANDLE)


def _length(away: QPointF) -> float:
    return math.hypot(away.x(), away.y())


def _distance(place: QPointF, one: QPointF, other: QPointF) -> float:
    """Return the distance of a place from a segment."""
    along, away = other - one, place - one
    square = QPointF.dotProduct(along, along)
    share = min(max(QPointF.dotProduct(away, along) / square, 0.0), 1.0) if square else 0.0
    return _length(away - along * share)
