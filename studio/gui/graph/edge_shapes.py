"""Shapes of the values, written where their edges leave a box."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from studio.gui.graph.area import Area
from studio.gui.graph.scene import Scene
from studio.gui.names import shown
from studio.gui.theme import Theme

_GAP, _LINE = 5.0, 13.0
_ROOM, _ROOM_ACROSS = 104.0, 88.0
_MOST_LINES = 2
_OPACITY = 200
"""Of the ground of a text, which keeps it readable where an edge runs below it."""

REACH = 160.0
"""How far a text may reach from its box."""


class EdgeShapePainter:
    """The painter of shapes at the edges of a scene, in scene coordinates.

    Args:
        font: Of the texts.
    """

    def __init__(self, scene: Scene, theme: Theme, font: QFont) -> None:
        self._scene = scene
        self._font = font
        self._metrics = QFontMetricsF(font)
        self._ink: QColor = theme.color("dim")
        self._ground = QColor(theme.color("background"))
        self._ground.setAlpha(_OPACITY)
        self._known: dict[int, tuple[str, ...]] = {}

    def paint(self, painter: QPainter, area: Area) -> None:
        """Write the shapes of the boxes whose texts may reach into an area."""
        wide = Area(area.left - REACH, area.top - REACH, area.right + REACH, area.bottom + REACH)
        painter.setFont(self._font)
        painter.setPen(self._ink)
        for box in self._scene.index.boxes_in(wide).tolist():
            place = self._start(box)
            for number, text in enumerate(self._texts(box)):
                at = place + QPointF(0, number * _LINE)
                room = self._metrics.horizontalAdvance(text)
                painter.fillRect(QRectF(at.x() - 2, at.y() - 10, room + 4, _LINE), self._ground)
                painter.drawText(at, text)

    def _start(self, box: int) -> QPointF:
        """Return where the first line of a box stands."""
        scene = self._scene
        if scene.across:
            middle = scene.y[box] + scene.height[box] / 2
            return QPointF(scene.x[box] + scene.width[box] + _GAP, middle - _GAP)
        middle = scene.x[box] + scene.width[box] / 2
        return QPointF(middle + _GAP, scene.y[box] + scene.height[box] + _LINE)

    def _texts(self, box: int) -> tuple[str, ...]:
        known = self._known.get(box)
        if known is None:
            wide = self._scene.width[box]
            room = _ROOM_ACROSS if self._scene.across else max(wide / 2 + _GAP, _ROOM)
            shapes = self._scene.shapes(box)
            lines = [
                self._metrics.elidedText(shown(text), Qt.TextElideMode.ElideRight, room)
                for text in shapes[:_MOST_LINES]
            ]
            if len(shapes) > _MOST_LINES:
                lines[-1] = f"{len(shapes) - 1} more shapes"
            known = self._known[box] = tuple(lines)
        return known
