"""Badges of the nodes that quantization keeps in float."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from studio.gui.graph.overlay import readable_on
from studio.gui.graph.scene import Scene

TEXT = "float"
REACH = 10.0
"""How far a badge reaches above its box."""

_WIDTH, _HEIGHT, _INSET, _FONT = 32.0, 14.0, 8.0, 10


class FloatBadgePainter:
    """The painter of the badges on the upper right corners of boxes."""

    def __init__(self, scene: Scene, color: QColor, font: QFont) -> None:
        self._scene = scene
        self._color, self._ink = color, readable_on(color)
        self._font = QFont(font)
        self._font.setPixelSize(_FONT)

    def paint(self, painter: QPainter, boxes: Iterable[int], *, with_text: bool) -> None:
        """Paint the badges of some boxes; without room for a text as plain signs."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font)
        for box in boxes:
            place = self._place(box)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._color)
            painter.drawRoundedRect(place, _HEIGHT / 2, _HEIGHT / 2)
            if with_text:
                painter.setPen(self._ink)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, TEXT)

    def _place(self, box: int) -> QRectF:
        scene = self._scene
        right = scene.x[box] + scene.width[box] - _INSET
        return QRectF(right - _WIDTH, scene.y[box] - REACH, _WIDTH, _HEIGHT)
