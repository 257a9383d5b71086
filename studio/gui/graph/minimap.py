"""The whole graph in a corner of the canvas, with the part in sight."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from studio.gui.graph.area import Area
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.theme import Theming

WIDTH, LEAST_HEIGHT, MOST_HEIGHT = 104, 64, 320
INSET = 6
LEAST_MARK = 6.0


class Minimap(QWidget):
    """A small map of the visible section; a click or drag moves it.

    A graph much taller than wide is shown flattened, each axis with a scale of its own.
    """

    def __init__(self, canvas: GraphCanvas, theming: Theming) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._theming = theming
        self.wanted = True
        self._picture: QPixmap | None = None
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setAccessibleName("Overview of the graph")
        canvas.view_changed.connect(self._follow)
        theming.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Read the canvas's scene again."""
        self._picture = None
        scene = self._canvas.scene
        if scene is not None:
            width, height = (max(side, 1.0) for side in scene.size)
            tall = round((WIDTH - 2 * INSET) * height / width) + 2 * INSET
            self.setFixedSize(WIDTH, min(max(tall, LEAST_HEIGHT), MOST_HEIGHT))
        self._follow()

    def _follow(self) -> None:
        """Show the new place; hide where the whole graph is in sight anyway."""
        scene, area = self._canvas.scene, self._canvas.viewport.area()
        self.setVisible(
            self.wanted
            and scene is not None
            and (
                area.left > 0
                or area.top > 0
                or area.right < scene.size[0]
                or area.bottom < scene.size[1]
            )
        )
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        scene = self._canvas.scene
        if scene is None:
            return
        theme = self._theming.current
        if self._picture is None:
            self._picture = self._paint_picture()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("border"), 1))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.drawPixmap(0, 0, self._picture)
        painter.setPen(QPen(theme.color("accent"), 1.5))
        ground = QColor(theme.color("accent"))
        ground.setAlpha(28)
        painter.setBrush(ground)
        painter.drawRect(self._mark())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._go(event.position())

    def _scales(self) -> tuple[float, float]:
        scene = self._canvas.scene
        width, height = scene.size if scene is not None else (1.0, 1.0)
        across = (self.width() - 2 * INSET) / max(width, 1.0)
        down = (self.height() - 2 * INSET) / max(height, 1.0)
        if self.height() not in (LEAST_HEIGHT, MOST_HEIGHT):
            across = down = min(across, down)
        return across, down

    def _margin(self) -> float:
        scene = self._canvas.scene
        width = scene.size[0] if scene is not None else 0.0
        return (self.width() - width * self._scales()[0]) / 2

    def _mark(self) -> QRectF:
        across, down = self._scales()
        area = self._canvas.viewport.area()
        mark = QRectF(
            self._margin() + area.left * across,
            INSET + area.top * down,
            max((area.right - area.left) * across, LEAST_MARK),
            max((area.bottom - area.top) * down, LEAST_MARK),
        )
        return mark.intersected(QRectF(self.rect()).adjusted(2, 2, -2, -2))

    def _paint_picture(self) -> QPixmap:
        scene = self._canvas.scene
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        assert scene is not None
        across, down = self._scales()
        left = self._margin()
        colors = {name: QColor(value) for name, value in self._theming.current.graph.items()}
        painter = QPainter(picture)
        painter.setPen(Qt.PenStyle.NoPen)
        index = scene.index
        # Thousands of boxes share a pixel; one of them is enough.
        boxes = index.spots(index.boxes_in(Area(0, 0, *scene.size)), across, down)
        for code, family in enumerate(scene.families):
            own = boxes[scene.colors[boxes] == code]
            painter.setBrush(colors[family])
            wide, high = index.width[own] * across, index.height[own] * down
            places = (left + index.x[own] * across, INSET + index.y[own] * down)
            sizes = (wide.clip(1.5), high.clip(1.0))
            painter.drawRects(list(map(QRectF, *(part.tolist() for part in (*places, *sizes)))))
        painter.end()
        return picture

    def _go(self, point: QPointF) -> None:
        across, down = self._scales()
        self._canvas.centre_on((point.x() - self._margin()) / across, (point.y() - INSET) / down)
