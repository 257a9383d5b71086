"""A picture of a crowded part of a scene, kept so that panning need not paint it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPixmap

from studio.gui.graph.scene import Area

MARGIN = 0.25
"""Share of the visible part that is painted beyond each of its sides."""


@dataclass(frozen=True, slots=True)
class _Picture:
    pixmap: QPixmap
    area: Area
    zoom: float
    key: object


class Raster:
    """The last picture, as long as it fits."""

    def __init__(self) -> None:
        self._picture: _Picture | None = None

    def clear(self) -> None:
        """Forget the picture."""
        self._picture = None

    def draw(
        self,
        painter: QPainter,
        area: Area,
        zoom: float,
        key: object,
        paint: Callable[[QPainter, Area], None],
        *,
        rough: bool = False,
    ) -> bool:
        """Draw the visible area from the picture, made anew when the old one does not fit.

        Args:
            painter: In the widget's coordinates.
            area: The visible part of the scene.
            key: What the picture depends on beside area and zoom.
            paint: Paints an area of the scene, given a painter in scene coordinates.
            rough: Take a picture of another zoom rather than paint (while a gesture goes on).

        Returns:
            Whether what was drawn is exact.
        """
        picture = self._picture
        if picture is None or picture.key != key or not self._fits(picture, area, zoom, rough):
            ratio = painter.device().devicePixelRatioF()
            picture = self._picture = self._make(area, zoom, key, paint, ratio)
        part = picture.area
        target = QRectF(
            (part.left - area.left) * zoom,
            (part.top - area.top) * zoom,
            (part.right - part.left) * zoom,
            (part.bottom - part.top) * zoom,
        )
        painter.drawPixmap(target, picture.pixmap, QRectF(picture.pixmap.rect()))
        return picture.zoom == zoom

    @staticmethod
    def _fits(picture: _Picture, area: Area, zoom: float, rough: bool) -> bool:
        inside = (
            picture.area.left <= area.left
            and picture.area.top <= area.top
            and picture.area.right >= area.right
            and picture.area.bottom >= area.bottom
        )
        near = 0.4 < zoom / picture.zoom < 2.5
        return inside and (picture.zoom == zoom or (rough and near))

    @staticmethod
    def _make(
        area: Area, zoom: float, key: object, paint: Callable[[QPainter, Area], None], ratio: float
    ) -> _Picture:
        across = (area.right - area.left) * MARGIN
        down = (area.bottom - area.top) * MARGIN
        wide = Area(area.left - across, area.top - down, area.right + across, area.bottom + down)
        pixmap = QPixmap(
            max(1, round((wide.right - wide.left) * zoom * ratio)),
            max(1, round((wide.bottom - wide.top) * zoom * ratio)),
        )
        pixmap.fill("transparent")
        painter = QPainter(pixmap)
        painter.scale(zoom * ratio, zoom * ratio)
        painter.translate(-wide.left, -wide.top)
        paint(painter, wide)
        painter.end()
        return _Picture(pixmap, wide, zoom, key)
