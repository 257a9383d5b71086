"""The whole graph in the dock of the canvas, with the part in sight."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from studio.gui.graph.area import Area
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.overlay import Overlay
from studio.gui.graph.scene import Scene
from studio.gui.theme import Theming

if TYPE_CHECKING:
    from studio.gui.graph.index import Numbers

INSET = 4
LEAST_MARK = 6.0
LEAST_SIDE = 40.0
"""Pixels below which a side of the whole graph is stretched: the graph is then shown distorted."""


class Minimap(QWidget):
    """A small map of the visible section; a click or drag moves it.

    A graph much longer than wide is shown flattened, each axis with a scale of its own.
    """

    def __init__(self, canvas: GraphCanvas, theming: Theming) -> None:
        super().__init__()
        self._canvas = canvas
        self._theming = theming
        self._overlay: Overlay | None = None
        self._picture: QPixmap | None = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Overview of the graph")
        canvas.view_changed.connect(self.update)
        theming.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Read the canvas's scene again."""
        self._picture = None
        self.update()

    def set_overlay(self, overlay: Overlay | None) -> None:
        """Paint numbers on the nodes, or their families again."""
        self._overlay = overlay
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Repaint the graph for another size."""
        super().resizeEvent(event)
        self._picture = None

    def paintEvent(self, _event: QPaintEvent) -> None:
        scene = self._canvas.scene
        if scene is None:
            return
        theme = self._theming.current
        if self._picture is None:
            self._picture = self._paint_picture()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
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
        width, height = (max(side, 1.0) for side in (scene.size if scene is not None else (1, 1)))
        across = (self.width() - 2 * INSET) / width
        down = (self.height() - 2 * INSET) / height
        even = min(across, down)
        if min(even * width, even * height) < LEAST_SIDE:
            return min(across, 1.0), min(down, 1.0)
        return even, even

    def _margins(self) -> tuple[float, float]:
        """Return what is left at the left of the graph and above it."""
        scene, (across, down) = self._canvas.scene, self._scales()
        width, height = scene.size if scene is not None else (0.0, 0.0)
        return (self.width() - width * across) / 2, (self.height() - height * down) / 2

    def _mark(self) -> QRectF:
        (across, down), (left, top) = self._scales(), self._margins()
        area = self._canvas.viewport.area()
        mark = QRectF(
            left + area.left * across,
            top + area.top * down,
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
        (across, down), (left, top) = self._scales(), self._margins()
        painter = QPainter(picture)
        painter.setPen(Qt.PenStyle.NoPen)
        index = scene.index
        # Thousands of boxes share a pixel; one of them is enough.
        boxes = index.spots(index.boxes_in(Area(0, 0, *scene.size)), across, down)
        for color, own in self._painted(scene, boxes):
            painter.setBrush(color)
            wide, high = index.width[own] * across, index.height[own] * down
            places = (left + index.x[own] * across, top + index.y[own] * down)
            sizes = (wide.clip(1.5), high.clip(1.0))
            painter.drawRects(list(map(QRectF, *(part.tolist() for part in (*places, *sizes)))))
        painter.end()
        return picture

    def _painted(self, scene: Scene, boxes: Numbers) -> Iterator[tuple[QColor, Numbers]]:
        """Yield each colour with the boxes that have it."""
        theme, overlay = self._theming.current, self._overlay
        if overlay is None:
            for code, family in enumerate(scene.families):
                yield theme.graph_color(family), boxes[scene.colors[boxes] == code]
            return
        shades: dict[int, list[int]] = {}
        plain = theme.graph_color("shape")
        for place, box in enumerate(boxes.tolist()):
            shades.setdefault(overlay.colors.get(box, plain).rgb(), []).append(place)
        for shade, places in shades.items():
            yield QColor.fromRgb(shade), boxes[places]

    def _go(self, point: QPointF) -> None:
        (across, down), (left, top) = self._scales(), self._margins()
        self._canvas.centre_on((point.x() - left) / across, (point.y() - top) / down)
