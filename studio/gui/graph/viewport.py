"""Which part of a scene a canvas shows, and how large."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QSize

from studio.gui.graph.area import Area

LEAST_ZOOM, MOST_ZOOM = 0.0001, 3.0
READING_ZOOM = 1.0
MARGIN = 40.0
"""Pixels kept free around the graph when it is fitted."""

_LEGIBLE_ZOOM = 0.6
"""From this zoom on a whole graph can be read."""

_LEAST_REVEALING_ZOOM = 0.4
"""What is looked for cannot be recognised at less."""


class Viewport:
    """The part of a scene that is in sight on a widget.

    Attributes:
        size: Gives the widget's width and height in pixels.
        extent: Width and height of the scene; None where nothing is shown.
        zoom: Pixels of the widget for one of the scene.
        origin: The scene's point in the widget's upper left corner.
    """

    def __init__(self, size: Callable[[], QSize]) -> None:
        self.size = size
        self.extent: tuple[float, float] | None = None
        self.zoom = READING_ZOOM
        self.origin = QPointF(0, 0)

    def area(self) -> Area:
        """Return the part of the scene that is in sight."""
        left, top = self.origin.x(), self.origin.y()
        width, height = self._size()
        return Area(left, top, left + width / self.zoom, top + height / self.zoom)

    def to_scene(self, point: QPointF) -> QPointF:
        """Return the scene's point under a point of the widget."""
        return self.origin + point / self.zoom

    def to_widget(self, point: QPointF) -> QPointF:
        """Return where a point of the scene is on the widget."""
        return (point - self.origin) * self.zoom

    # What is looked at

    def fit(self) -> None:
        """Show the whole scene."""
        if self.extent is None:
            return
        self.zoom = self._fitting_zoom()
        width, height = self.extent
        self.centre_on(width / 2, height / 2)

    def show_start(self, first: float, *, across: bool = False) -> None:
        """Show the whole scene if it can be read so, otherwise its beginning at reading size.

        Args:
            first: Where the first box has its middle, from left to right; from top to bottom
                where the scene runs from left to right.
        """
        if self.extent is None:
            return
        if self._fitting_zoom() >= _LEGIBLE_ZOOM:
            self.fit()
            return
        self.zoom = READING_ZOOM
        side = 1 if across else 0
        extent, room = self.extent[side], self._size()[side]
        start = (extent / 2 if extent + 2 * MARGIN <= room else first) - room / 2
        self.move_to(QPointF(-MARGIN, start) if across else QPointF(start, -MARGIN))

    def zoom_by(self, factor: float, anchor: QPointF | None = None) -> None:
        """Zoom; the anchor (the middle by default) stays where it is on the screen."""
        width, height = self._size()
        point = anchor if anchor is not None else QPointF(width / 2, height / 2)
        before = self.to_scene(point)
        least = min(self._fitting_zoom(), 0.2)
        self.zoom = min(max(self.zoom * factor, least), MOST_ZOOM)
        self.move_to(before - point / self.zoom)

    def pan(self, right: float, down: float) -> None:
        """Move the view right and down, in pixels of the screen."""
        self.move_to(self.origin + QPointF(right, down) / self.zoom)

    def centre_on(self, x: float, y: float) -> None:
        """Bring a point of the scene into the middle."""
        width, height = self._size()
        self.move_to(QPointF(x, y) - QPointF(width, height) / 2 / self.zoom)

    def reveal(self, x: float, y: float) -> bool:
        """Bring a point of the scene well into view, at a size that can be read.

        Returns:
            False where nothing had to move for it.
        """
        area = self.area()
        across, down = 100 / self.zoom, 60 / self.zoom
        inside = (
            area.left + across < x < area.right - across
            and area.top + down < y < area.bottom - down
        )
        if self.zoom < _LEAST_REVEALING_ZOOM:
            self.zoom = READING_ZOOM
            inside = False
        if not inside:
            self.centre_on(x, y)
        return not inside

    def widen(self, pixels: int) -> None:
        """Keep the centre of the view in the middle of a widget that has changed its size."""
        self.origin -= QPointF(pixels / 2 / self.zoom, 0)

    def move_to(self, origin: QPointF) -> None:
        """Move to another corner, or to the nearest from which some of the scene is visible."""
        self.origin = self._clamped(origin)

    # Inside

    def _size(self) -> tuple[int, int]:
        size = self.size()
        return size.width(), size.height()

    def _fitting_zoom(self) -> float:
        """Return the zoom at which the whole scene is in sight."""
        if self.extent is None:
            return READING_ZOOM
        width, height = (max(side, 1.0) for side in self.extent)
        wide, high = self._size()
        across, down = (wide - 2 * MARGIN) / width, (high - 2 * MARGIN) / height
        return min(max(min(across, down), LEAST_ZOOM), READING_ZOOM)

    def _clamped(self, origin: QPointF) -> QPointF:
        """Return the nearest corner from which a section of the scene is visible."""
        if self.extent is None:
            return origin
        wide, high = self._size()
        half_width, half_height = wide / 2 / self.zoom, high / 2 / self.zoom
        width, height = self.extent
        return QPointF(
            min(max(origin.x(), -half_width), max(width - half_width, -half_width)),
            min(max(origin.y(), -half_height), max(height - half_height, -half_height)),
        )
