"""Painting of a node's rows: its weights and its kernel, below the header of its box."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from studio.gui.graph.scene import Scene
from studio.gui.names import shown
from studio.gui.theme import Theme
from studio.workspace import HEADER_HEIGHT, ROW_HEIGHT, ROWS_INSET

_LEFT, _BETWEEN, _EDGE = 10.0, 8.0, 1.0
_RADIUS = 5.0
_BASE = 12.0
"""From the upper edge of a row to the line that its text stands on."""


class RowsPainter:
    """The painter of the rows of a scene's boxes, in scene coordinates.

    Args:
        font: Of the values; titles are set in its semibold.
    """

    def __init__(self, scene: Scene, theme: Theme, font: QFont) -> None:
        self._scene = scene
        self._font, self._bold = font, QFont(font)
        self._bold.setWeight(QFont.Weight.DemiBold)
        self._metrics = QFontMetricsF(font)
        self._bolds = QFontMetricsF(self._bold)
        self._ground: QColor = theme.color("surface")
        self._inks = (theme.color("text"), theme.color("dim"))
        self._known: dict[int, tuple[float, list[tuple[str, str]]]] = {}

    def has_rows(self, box: int) -> bool:
        """Return whether there is room for rows in a box."""
        return self._scene.height[box] > HEADER_HEIGHT

    def paint(self, painter: QPainter, box: int, rectangle: QRectF) -> None:
        """Paint the lower part of a box with its rows."""
        body = rectangle.adjusted(_EDGE, HEADER_HEIGHT, -_EDGE, -_EDGE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground)
        painter.drawRoundedRect(body, _RADIUS, _RADIUS)
        painter.drawRect(body.adjusted(0, 0, 0, -body.height() / 2))
        column, rows = self._of(box)
        left, base = rectangle.left() + _LEFT, body.top() + ROWS_INSET + _BASE
        for ink, font, x, place in (
            (self._inks[0], self._bold, left, 0),
            (self._inks[1], self._font, left + column, 1),
        ):
            painter.setPen(ink)
            painter.setFont(font)
            for number, row in enumerate(rows):
                painter.drawText(QPointF(x, base + number * ROW_HEIGHT), row[place])

    def _of(self, box: int) -> tuple[float, list[tuple[str, str]]]:
        """Return where the values begin, and the rows that fit."""
        known = self._known.get(box)
        if known is None:
            rows = self._scene.rows(box)
            widest = max([self._bolds.horizontalAdvance(row.title) for row in rows], default=0.0)
            column = widest + _BETWEEN
            room = self._scene.width[box] - 2 * _LEFT - column
            elided = Qt.TextElideMode.ElideRight
            fitting = [
                (row.title, self._metrics.elidedText(shown(row.text), elided, room)) for row in rows
            ]
            known = self._known[box] = (column, fitting)
        return known
