"""The canvas: a graph that is panned, zoomed, searched and travelled by mouse and keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from studio.api.qt import plain_tip
from studio.gui.graph.area import Area
from studio.gui.graph.keyboard import handle_key
from studio.gui.graph.overlay import Overlay
from studio.gui.graph.paint import Marks, ScenePainter
from studio.gui.graph.raster import Raster, View
from studio.gui.graph.scene import Scene, description
from studio.gui.graph.signs import GraphSign, sign_at
from studio.gui.graph.viewport import READING_ZOOM, Viewport
from studio.gui.theme import Theming

SETTLE_MS = 80
"""After a zoom gesture a rough picture is replaced by an exact one this much later."""


class GraphCanvas(QWidget):
    """A widget that shows a ``Scene``.

    Attributes:
        scene: What is shown; None before there is one.
        viewport: The part of it that is in sight.
        unfolds: Whether blocks have a sign to unfold them in place.
        selected: The selected box, or None.
        traced: The boxes of the path that is lit.
        ways: Whether the path goes up from the selected box, and down.
        shapes: Whether shapes are written next to the edges.

    Signals:
        selection_changed: The selected box; -1 for none.
        entered: A box that the user wants to look into.
        unfolded: A box that the user wants to unfold in place.
        folded: A frame that the user wants to fold again.
        view_changed: Zoom or position are others.
        path_changed: Another path is lit, or none.
        wished: A key asks for what others have to do (``keyboard.HELP`` and the others).
    """

    selection_changed = Signal(int)
    entered = Signal(int)
    unfolded = Signal(int)
    folded = Signal(int)
    view_changed = Signal()
    path_changed = Signal()
    wished = Signal(str)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.scene: Scene | None = None
        self.viewport = Viewport(self.size)
        self.unfolds = True
        self.selected: int | None = None
        self._theming = theming
        self._hits: frozenset[int] = frozenset()
        self._kept: frozenset[int] = frozenset()
        self.traced: frozenset[int] = frozenset()
        self.ways = (False, False)
        self.shapes = False
        self._overlay: Overlay | None = None
        self._painter: ScenePainter | None = None
        self._raster = Raster()
        self._version = 0
        self._grabbed: QPoint | None = None
        self._moved = self._at_start = False
        self._settle = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settle.timeout.connect(self.update)
        self._more = QTimer(self, singleShot=True, interval=0)  # paints what a frame left out
        self._more.timeout.connect(self.update)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setMouseTracking(True)
        self.setAccessibleName("Graph")
        theming.changed.connect(self._redress)

    # What is shown

    def show_scene(
        self,
        scene: Scene | None,
        *,
        stay: bool = False,
        kept: tuple[QPointF, QPointF] | None = None,
    ) -> None:
        """Show another graph from its beginning; or stay, where it has the same boxes.

        Args:
            kept: A point of the graph that was shown and the one of this graph that takes its
                place on the screen.
        """
        selected = self.selected if stay else None
        self.scene = scene
        self.viewport.extent = scene.size if scene is not None else None
        self.selected, self._overlay = None, None
        self._hits = self._kept = frozenset()
        self._light(frozenset())
        self._at_start = self._at_start if stay else kept is None
        if not stay:
            self._raster.clear()
        self._replace_painter()
        count = len(scene.graph.nodes) if scene else 0
        self.setAccessibleName(f"Graph with {count} nodes" if scene else "Graph")
        self._describe()
        if kept is not None:
            self.viewport.move_to(self.viewport.origin + kept[1] - kept[0])
            self._refresh_view()
        elif not stay:
            self.show_start()
        elif selected is not None:
            self.select(selected, reveal=False)

    def set_overlay(self, overlay: Overlay | None) -> None:
        """Paint numbers on the boxes, or their families again."""
        self._overlay = overlay
        self._repaint_all()

    def show_shapes(self, wanted: bool) -> None:
        """Write the shapes of the values next to their edges, or no longer."""
        self.shapes = wanted
        self._repaint_all()

    def set_hits(self, boxes: frozenset[int]) -> None:
        """Outline the boxes that a search found."""
        self._hits = boxes
        self._repaint_all()

    def set_kept(self, boxes: frozenset[int]) -> None:
        """Mark the boxes that quantization keeps in float."""
        self._kept = boxes
        self._describe()
        self._repaint_all()

    def trace(self, *, up: bool = False, down: bool = False) -> None:
        """Highlight the ancestors or descendants of the selected box; a second call ends it.

        Without a direction the highlight ends.
        """
        if self.scene is None or self.selected is None or self.ways == (up, down):
            up = down = False
        found: frozenset[int] = frozenset()
        if self.scene is not None and self.selected is not None:
            for wanted, is_down in ((up, False), (down, True)):
                if wanted:
                    found |= self.scene.reachable(self.selected, down=is_down)
        self._light(found, (up, down))
        self._describe()
        self._repaint_all()

    def _light(self, boxes: frozenset[int], ways: tuple[bool, bool] = (False, False)) -> None:
        self.traced, self.ways = boxes, ways
        self.path_changed.emit()

    def select(self, box: int | None, *, reveal: bool = True) -> None:
        """Select a box and bring it into view; None for nothing."""
        if box != self.selected:
            self.selected = box
            self._light(frozenset())
            self._describe()
            self._repaint_all()
            self.selection_changed.emit(-1 if box is None else box)
        if box is not None and reveal:
            self.reveal(box)

    # Where one looks

    @property
    def zoom(self) -> float:
        """Pixels of the screen for one of the scene."""
        return self.viewport.zoom

    def show_start(self) -> None:
        """Show the whole graph if it can be read so, otherwise its beginning at reading size."""
        if self.scene is None:
            return
        scene, side = self.scene, 1 if self.scene.across else 0
        first = scene.centre(0)[side] if len(scene) else scene.size[side] / 2
        self.viewport.show_start(first, across=scene.across)
        self._at_start = True
        self._refresh_view()

    def fit(self) -> None:
        """Show the whole graph."""
        if self.scene is not None:
            self.viewport.fit()
            self._refresh_chosen_view()

    def zoom_by(self, factor: float, anchor: QPointF | None = None) -> None:
        """Zoom; the anchor (the middle by default) stays where it is on the screen."""
        self._settle.start()
        self.viewport.zoom_by(factor, anchor)
        self._refresh_chosen_view()

    def zoom_to(self, zoom: float) -> None:
        """Set the zoom and keep the centre."""
        self.zoom_by(zoom / self.zoom)

    def pan(self, right: float, down: float) -> None:
        """Move the view right and down, in pixels of the screen."""
        self.viewport.pan(right, down)
        self._refresh_chosen_view()

    def centre_on(self, x: float, y: float) -> None:
        """Bring a point of the scene into the middle."""
        self.viewport.centre_on(x, y)
        self._refresh_chosen_view()

    def reveal(self, box: int) -> None:
        """Bring a box into view, at a size that can be read."""
        if self.scene is not None and self.viewport.reveal(*self.scene.centre(box)):
            self._refresh_chosen_view()

    def _refresh_chosen_view(self) -> None:
        """Repaint a view that the user chose; a later resize does not show the start again."""
        self._at_start = False
        self._refresh_view()

    def _refresh_view(self) -> None:
        self.update()
        self.view_changed.emit()

    # Events

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theming.current.color("background"))
        if self.scene is not None and self._painter is not None:
            painter.save()
            self._paint_scene(painter)
            painter.restore()
        if self.hasFocus():
            painter.setPen(QPen(self._theming.current.color("accent"), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._at_start and self.selected is None:  # the user has chosen no other view
            self.show_start()
        elif event.oldSize().isValid():  # what is in the middle stays there
            self.viewport.widen(event.size().width() - event.oldSize().width())
        self.view_changed.emit()
        super().resizeEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._grabbed, self._moved = event.position().toPoint(), False
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is None:
            self._point(event.position())
            return
        now = event.position().toPoint()
        delta = now - self._grabbed
        if self._moved or delta.manhattanLength() > 4:
            self._moved = True
            self._grabbed = now
            self.pan(-delta.x(), -delta.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton or self._grabbed is None:
            return
        self._grabbed = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        if self._moved or self.scene is None or self._click(event.position()):
            return
        point = self.viewport.to_scene(event.position())
        self.select(self.scene.box_at(point.x(), point.y()), reveal=False)

    def enter(self) -> None:
        """Open the selected box."""
        if self.selected is not None:
            self.entered.emit(self.selected)

    def wish(self, what: str) -> None:
        """Emit the signal of the command that a key triggers."""
        self.wished.emit(what)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        point = self.viewport.to_scene(event.position())
        box = self.scene.box_at(point.x(), point.y()) if self.scene is not None else None
        if self._sign_at(event.position()) is not None:
            return  # its clicks were done
        if box is not None and self.scene is not None and self.scene.boxes[box].opens:
            self.entered.emit(box)
            return
        self.zoom_by(READING_ZOOM / self.zoom if self.zoom < 0.9 else 1.5, event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(1.0015 ** event.angleDelta().y(), event.position())
        else:
            delta = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta()
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                delta = QPoint(delta.y(), delta.x())
            self.pan(-delta.x(), -delta.y())
        event.accept()

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() is Qt.NativeGestureType.ZoomNativeGesture
        ):
            self.zoom_by(1 + event.value(), event.position())
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not handle_key(self, event):
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def _paint_scene(self, painter: QPainter) -> None:
        ratio = painter.device().devicePixelRatioF()
        view = View.at(self.viewport.origin, self.zoom, self.size(), ratio, self._version)
        ground = self._theming.current.color("background")
        is_gesture = self._settle.isActive()
        is_exact = self._raster.draw(painter, view, ground, self._paint_area, rough=is_gesture)
        if not is_exact and not is_gesture:
            self._more.start()

    def _paint_area(self, painter: QPainter, area: Area) -> None:
        if self._painter is not None:
            given = (self._hits, self._overlay, self.traced, self.shapes, self._kept)
            self._painter.paint(painter, area, self.zoom, Marks(self.selected, *given))

    def _sign_at(self, where: QPointF) -> GraphSign | None:
        return sign_at(self.scene, self.viewport, where) if self.unfolds else None

    def _click(self, where: QPointF) -> bool:
        """Run the command of the sign under a point; return False where no sign is."""
        sign = self._sign_at(where)
        if sign is None:
            return False
        if sign.box is not None:
            self.unfolded.emit(sign.box)
        elif sign.frame is not None:
            self.folded.emit(sign.frame)
        return True

    def _point(self, where: QPointF) -> None:
        """Show with the cursor and a tooltip what a click does here."""
        sign = self._sign_at(where)
        shape = Qt.CursorShape.PointingHandCursor if sign else Qt.CursorShape.OpenHandCursor
        if self.cursor().shape() is not shape:
            self.setCursor(shape)
        text = sign.text if sign else ""
        if self.toolTip() != text:
            self.setToolTip(plain_tip(text))

    def _repaint_all(self) -> None:
        self._version += 1
        self.update()

    def _redress(self) -> None:
        self._raster.clear()
        self._replace_painter()

    def _replace_painter(self) -> None:
        scene, theme, self._painter = self.scene, self._theming.current, None
        if scene:
            self._painter = ScenePainter(scene, theme, self.font(), with_signs=self.unfolds)
        self._repaint_all()

    def _describe(self) -> None:
        selected, marks = self.selected, (self.traced, self._kept)
        self.setAccessibleDescription(description(self.scene, selected, *marks))
        event = QAccessibleEvent(self, QAccessible.Event.DescriptionChanged)
        QAccessible.updateAccessibility(event)

    def box_rectangle(self, box: int) -> QRectF:
        """Return where a box is on the widget."""
        assert self.scene is not None
        scene, place = self.scene, self.viewport.to_widget
        start = QPointF(scene.x[box], scene.y[box])
        return QRectF(place(start), place(start + QPointF(scene.width[box], scene.height[box])))
