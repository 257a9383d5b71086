"""The frames around blocks that are unfolded in place: where they are, and how they are painted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from studio.gui.graph.area import Area
from studio.gui.names import shown
from studio.workspace import block_text

if TYPE_CHECKING:
    from studio.gui.theme import Theme
    from studio.workspace import Frame

SIGN = 10.0
"""Edge of the sign in the corner of a block or frame that unfolds or folds it."""

_INSET = 6.0
_RADIUS = 8.0
_TITLE_HEIGHT = 26.0
_STRENGTH = (14, 30)
"""Opacity of the ground of a frame; those within each other take turns."""


def paint_sign(painter: QPainter, left: float, top: float, color: QColor, *, plus: bool) -> None:
    """Paint the sign into the upper left corner of a box or frame."""
    square = QRectF(left + _INSET, top + _INSET, SIGN, SIGN)
    middle = square.center()
    painter.setPen(QPen(color, 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(square, 2, 2)
    painter.drawLine(QLineF(square.left() + 2.5, middle.y(), square.right() - 2.5, middle.y()))
    if plus:
        painter.drawLine(QLineF(middle.x(), square.top() + 2.5, middle.x(), square.bottom() - 2.5))


class FramePainter:
    """The painter of a scene's frames in scene coordinates, behind all else.

    Args:
        font: Of the titles.
    """

    def __init__(self, frames: Sequence[Frame], theme: Theme, font: QFont) -> None:
        self._frames = frames
        self._theme = theme
        self._font = font
        self._metrics = QFontMetricsF(font)
        self._depths: list[int] = []
        for frame in frames:
            self._depths.append(self._depths[frame.around] + 1 if frame.around >= 0 else 0)

    def paint(self, painter: QPainter, area: Area, zoom: float) -> None:
        """Paint what touches an area; the outer frames before the inner ones."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        border = self._theme.color("border_strong")
        for number in self._touching(area, 2.0 / zoom):
            frame = self._frames[number]
            ground = QColor(self._theme.color("accent"))
            ground.setAlpha(_STRENGTH[self._depths[number] % 2])
            place = QRectF(frame.x, frame.y, frame.width, frame.height)
            painter.setPen(QPen(border, max(1.0, 1.0 / zoom)))
            painter.setBrush(ground)
            painter.drawRoundedRect(place, _RADIUS, _RADIUS)

    def paint_titles(self, painter: QPainter, area: Area, zoom: float) -> None:
        """Write the titles, on top of the edges that run through the frames' upper sides."""
        painter.setFont(self._font)
        background = self._theme.color("background")
        text, dim = self._theme.color("text"), self._theme.color("dim")
        for number in self._touching(area, 2.0 / zoom):
            frame = self._frames[number]
            title = shown(frame.node.operator)
            said = f"{title}  {block_text(frame.node)}"
            left = _INSET + SIGN + 6
            room = frame.width - left - _INSET
            said = said if self._metrics.horizontalAdvance(said) <= room else title
            said = self._metrics.elidedText(said, Qt.TextElideMode.ElideMiddle, room)
            wide = min(left + self._metrics.horizontalAdvance(said) + 6, frame.width - 2)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(background)
            place = QRectF(frame.x + 1, frame.y + 1, wide, _TITLE_HEIGHT)
            painter.drawRoundedRect(place, _RADIUS - 1, _RADIUS - 1)
            paint_sign(painter, frame.x + 1, frame.y + 2, dim, plus=False)
            painter.setPen(text)
            base = QPointF(frame.x + left, frame.y + 2 + _INSET + SIGN)
            painter.drawText(base, said)

    def _touching(self, area: Area, least: float) -> list[int]:
        """Frames in sight that are not too small to be seen."""
        return [
            number
            for number, frame in enumerate(self._frames)
            if frame.y <= area.bottom
            and frame.y + frame.height >= area.top
            and frame.x <= area.right
            and frame.x + frame.width >= area.left
            and frame.width >= least
        ]
