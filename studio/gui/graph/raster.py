"""Tiles of a scene that were painted once, and are then moved as pictures.

A frame paints what is missing for as long as a frame may take. What is left is shown as the tiles
of another zoom or of an earlier state have it, and comes with the next frames.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import ceil

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPixmap

from studio.gui.graph.area import Area
from studio.lazy_dataclass import dataclass

WIDE, HIGH = 512, 256
"""Size of a tile in pixels of the device."""

BUDGET_S = 0.006
"""A frame begins no further tile when it has painted for so long."""

MOST_TILES = 96
"""Half a megabyte each."""

LOOKS = 2
"""Of so many zooms or states the tiles are kept, and of the last one that was whole."""

TilePosition = tuple[int, int]
"""Column and row of a tile, counted from the scene's corner."""


@dataclass(frozen=True, slots=True)
class TileStyle:
    """The properties on which a tile depends, apart from its position.

    Attributes:
        scale: Pixels of the device for one of the scene.
        key: Whatever else: the scene, its marks, the theme.
    """

    scale: float
    key: object


@dataclass(frozen=True, slots=True)
class View:
    """The visible section in whole pixels of the device, at one tile style.

    Attributes:
        left, top: Of the sight, from the scene's corner.
        ratio: Pixels of the device for one of the widget.
    """

    look: TileStyle
    left: int
    top: int
    width: int
    height: int
    ratio: float

    @classmethod
    def at(cls, origin: QPointF, zoom: float, size: QSize, ratio: float, key: object) -> View:
        """Return the visible section of a widget.

        Args:
            origin: The scene's point in its corner.
            zoom: Pixels of the widget for one of the scene.
        """
        scale = zoom * ratio
        left, top = round(origin.x() * scale), round(origin.y() * scale)
        wide, high = ceil(size.width() * ratio), ceil(size.height() * ratio)
        return cls(TileStyle(scale, key), left, top, wide, high, ratio)

    def spots(self) -> Iterator[TilePosition]:
        """Yield the tiles in sight."""
        for row in range(self.top // HIGH, (self.top + self.height - 1) // HIGH + 1):
            for column in range(self.left // WIDE, (self.left + self.width - 1) // WIDE + 1):
                yield column, row

    def visible_area(self) -> QRectF:
        """Return the visible section in the scene's coordinates."""
        scale = self.look.scale
        size = (self.width / scale, self.height / scale)
        return QRectF(self.left / scale, self.top / scale, *size)


class Raster:
    """The tiles of a canvas.

    Args:
        clock: Seconds that were computed; on a busy machine a frame is not left unfinished because
            others were at work. Another one for tests.
    """

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._tiles: dict[tuple[TileStyle, TilePosition], QPixmap] = {}
        self._looks: list[TileStyle] = []
        self._whole: tuple[TileStyle, QRectF] | None = None
        self._clock = clock

    def clear(self) -> None:
        """Forget all tiles."""
        self._tiles.clear()
        self._looks.clear()
        self._whole = None

    def draw(
        self,
        painter: QPainter,
        view: View,
        ground: QColor,
        paint: Callable[[QPainter, Area], None],
        *,
        rough: bool = False,
    ) -> bool:
        """Draw what is in sight.

        Args:
            painter: In the widget's coordinates.
            ground: What a tile is filled with first.
            paint: Paints an area of the scene, given a painter in scene coordinates.
            rough: Paint nothing where tiles of another zoom will do (during a gesture).

        Returns:
            Whether all of it is exact.
        """
        if rough and self._will_do(view):
            self._draw_rough(painter, view)
            return False
        missing = [spot for spot in view.spots() if (view.look, spot) not in self._tiles]
        missing.sort(key=lambda spot: self._urgency(view, spot))
        began, made = self._clock(), 0
        while made < len(missing) and (not made or self._clock() - began < BUDGET_S):
            self._make(view, missing[made], ground, paint)
            made += 1
        is_exact = made == len(missing)
        if not is_exact:
            self._draw_rough(painter, view)
        else:
            self._whole = (view.look, view.visible_area())
        left_out = set(missing[made:])
        for spot in view.spots():
            if spot not in left_out:
                self._draw_tile(painter, view, spot)
        self._forget(view)
        return is_exact

    def _will_do(self, view: View) -> bool:
        """Return whether the last whole frame covers the visible section at a similar scale."""
        if self._whole is None or self._whole[0] == view.look:
            return False
        look, seen = self._whole
        return 0.4 < view.look.scale / look.scale < 2.5 and seen.contains(view.visible_area())

    def _urgency(self, view: View, spot: TilePosition) -> tuple[bool, float]:
        """Return the sort key of a tile: uncovered ones first, then those near the centre."""
        scale = view.look.scale
        place = QRectF(
            spot[0] * WIDE / scale, spot[1] * HIGH / scale, WIDE / scale, HIGH / scale
        ).intersected(view.visible_area())
        is_known = self._whole is not None and self._whole[1].contains(place)
        away = place.center() - view.visible_area().center()
        return is_known, away.manhattanLength()

    def _make(
        self,
        view: View,
        spot: TilePosition,
        ground: QColor,
        paint: Callable[[QPainter, Area], None],
    ) -> None:
        scale = view.look.scale
        left, top = spot[0] * WIDE / scale, spot[1] * HIGH / scale
        pixmap = QPixmap(WIDE, HIGH)
        pixmap.fill(ground)
        painter = QPainter(pixmap)
        painter.scale(scale, scale)
        painter.translate(-left, -top)
        paint(painter, Area(left, top, left + WIDE / scale, top + HIGH / scale))
        painter.end()
        pixmap.setDevicePixelRatio(view.ratio)
        self._tiles[view.look, spot] = pixmap

    def _draw_tile(self, painter: QPainter, view: View, spot: TilePosition) -> None:
        pixmap = self._tiles[view.look, spot] = self._tiles.pop((view.look, spot))  # the latest
        place = QPoint(spot[0] * WIDE - view.left, spot[1] * HIGH - view.top).toPointF()
        painter.drawPixmap(place / view.ratio, pixmap)

    def _draw_rough(self, painter: QPainter, view: View) -> None:
        """Draw the tiles of the last looks where they would be by now, the latest on top."""
        sight = QRectF(view.left, view.top, view.width, view.height)
        for known in self._looks:
            factor = view.look.scale / known.scale
            for (look, spot), pixmap in self._tiles.items():
                if look != known or look == view.look:
                    continue
                place = QRectF(spot[0] * WIDE, spot[1] * HIGH, WIDE, HIGH)
                moved = QRectF(place.topLeft() * factor, place.size() * factor)
                if moved.intersects(sight):
                    moved.translate(-view.left, -view.top)
                    target = QRectF(moved.topLeft() / view.ratio, moved.size() / view.ratio)
                    painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))

    def _forget(self, view: View) -> None:
        """Forget looks but the last ones, and the tiles that were not drawn for the longest."""
        if view.look in self._looks:
            self._looks.remove(view.look)
        self._looks.append(view.look)
        whole = self._whole[0] if self._whole is not None else None
        kept = [whole] if whole is not None and whole not in self._looks[-LOOKS:] else []
        self._looks = [*kept, *self._looks[-LOOKS:]]
        for name in [name for name in self._tiles if name[0] not in self._looks]:
            del self._tiles[name]
        most = max(MOST_TILES, 3 * sum(1 for _ in view.spots()))
        while len(self._tiles) > most:
            del self._tiles[next(iter(self._tiles))]
