"""A widget that paints one drawing and reports clicks on it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from studio.api.qt import plain_tip
from studio.gui.charts.plot import Plot
from studio.gui.theme import Theme, Theming
from studio.lazy_dataclass import dataclass

_REACH = 14  # pixels from a point within which a click means it


class Drawing:
    """A frozen description of a chart that can paint itself.

    It is painted in the window's own thread, often: what takes longer than a millisecond is worked
    out once, when it is made.
    """

    @abstractmethod
    def draw(self, plot: Plot) -> None:
        """Paint on an empty ground; ``plot.spots`` takes what can be clicked."""

    @abstractmethod
    def description(self) -> str:
        """Return the same for a screen reader, in a sentence."""

    def tooltip(self, key: int) -> str:
        """Return the tooltip of the spot under the mouse."""
        return ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A clickable place: its middle and extent as shares of the picture's width and height."""

    x: float
    y: float
    key: int
    half_width: float = 0.0
    half_height: float = 0.0


def render(
    drawing: Drawing, theme: Theme, size: QSize, scale: float
) -> tuple[QImage, Sequence[Spot]]:
    """Make a picture, and say what can be clicked on it.

    Args:
        drawing: What is shown.
        theme: Where the colours come from.
        size: In logical pixels.
        scale: Device pixels for each logical pixel.
    """
    image = QImage(size * scale, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(scale)
    image.fill(theme.color("surface"))
    painter = QPainter(image)
    try:
        return image, paint_drawing(drawing, painter, theme, size)
    finally:
        painter.end()


def paint_drawing(drawing: Drawing, painter: QPainter, theme: Theme, size: QSize) -> Sequence[Spot]:
    """Paint a drawing, and return what can be clicked on it."""
    plot = Plot(painter, QRectF(0, 0, size.width(), size.height()), theme)
    drawing.draw(plot)
    width, height = max(1, size.width()), max(1, size.height())
    points = [Spot(place.x() / width, place.y() / height, key) for place, key in plot.spots]
    areas = [
        Spot(
            rect.center().x() / width,
            rect.center().y() / height,
            key,
            rect.width() / 2 / width,
            rect.height() / 2 / height,
        )
        for rect, key in plot.rects
    ]
    return [*points, *areas]


class Chart(QWidget):
    """A widget that shows a drawing.

    Signals:
        drawn: Another drawing, or the same in other colours, is on the screen.
        picked: The key of the point that was clicked, or chosen with the keys.
    """

    drawn = Signal()
    picked = Signal(int)

    def __init__(self, theming: Theming, name: str, least: QSize | None = None) -> None:
        super().__init__()
        self._theming = theming
        self._drawing: Drawing | None = None
        self._is_new = False
        self.spots: Sequence[Spot] = ()
        self._at = -1
        self.setMinimumSize(least or QSize(240, 160))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(name)
        theming.changed.connect(self._again)

    def show_drawing(self, drawing: Drawing | None) -> None:
        """Show another drawing, or nothing."""
        if drawing == self._drawing:
            return
        self._drawing = drawing
        self.setAccessibleDescription(drawing.description() if drawing else "")
        if drawing is None:
            self.spots = ()
        self._again()

    def image(self) -> QImage | None:
        """Return the picture at its size on the screen, for a report or the clipboard."""
        if self._drawing is None or self.size().isEmpty():
            return None
        scale = self.devicePixelRatioF()
        return render(self._drawing, self._theming.current, self.size(), scale)[0]

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the drawing."""
        if self._drawing is None:
            return
        painter = QPainter(self)
        self.spots = paint_drawing(self._drawing, painter, self._theming.current, self.size())
        painter.end()
        can_pick = any(spot.key >= 0 for spot in self.spots)
        self.setMouseTracking(can_pick)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if can_pick else Qt.FocusPolicy.NoFocus)
        if self._is_new:
            self._is_new = False
            self.drawn.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Signal the point that was clicked."""
        spot = self._spot_at(event.position())
        if spot is not None and event.button() is Qt.MouseButton.LeftButton:
            self.picked.emit(spot.key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show that a point can be clicked, and what it is."""
        spot = self._spot_at(event.position())
        hand = spot is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)
        text = self._drawing.tooltip(spot.key) if spot is not None and self._drawing else ""
        QToolTip.showText(event.globalPosition().toPoint() + QPoint(12, 12), plain_tip(text), self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move from point to point, from left to right, with the arrow keys."""
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(event.key()))
        spots = sorted((spot for spot in self.spots if spot.key >= 0), key=lambda spot: spot.x)
        if step is None or not spots:
            super().keyPressEvent(event)
            return
        self._at = (self._at + step) % len(spots)
        self.picked.emit(spots[self._at].key)

    def _spot_at(self, place: QPointF) -> Spot | None:
        """Return the nearest point or area within reach of the mouse."""
        near = [(self._distance(spot, place), spot) for spot in self.spots if spot.key >= 0]
        distance, spot = min(near, key=lambda one: one[0], default=(_REACH + 1.0, None))
        return spot if distance <= _REACH else None

    def _distance(self, spot: Spot, place: QPointF) -> float:
        """Return how far a place is from a spot, in pixels; 0 within an area."""
        across = abs(spot.x - place.x() / self.width()) - spot.half_width
        down = abs(spot.y - place.y() / self.height()) - spot.half_height
        return max(0.0, across * self.width()) + max(0.0, down * self.height())

    def _again(self) -> None:
        self._is_new = True
        self.update()
