"""A chart whose picture is drawn by matplotlib in a thread of its own."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.gui.theme import Theme, Theming
from studio.settings import Paths

if TYPE_CHECKING:
    from typing import Any

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

BASE_DPI = 100
TEXT_PIXELS = 11.5
_POINTS_AN_INCH = 72
_SETTLED_MS = 60
_LOOK_MS = 30
_REACH = 14  # pixels from a point within which a click means it

# matplotlib's caches are shared by all figures, so one picture is drawn at a time.
_drawing = Lock()


class Drawing:
    """What a chart shows: a frozen description that can draw itself on a figure.

    It is drawn outside the GUI thread, so it holds plain values and touches no widget.
    """

    @abstractmethod
    def draw(self, figure: Figure, theme: Theme) -> None:
        """Draw on an empty figure whose text size and colours are already set."""

    def spots(self, figure: Figure) -> Sequence[Spot]:
        """What can be clicked, once it is drawn: points with what they stand for."""
        return ()

    @abstractmethod
    def description(self) -> str:
        """The same for a screen reader, in a sentence."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A point that can be clicked: its place as shares of the picture's width and height."""

    x: float
    y: float
    key: int


def render(
    drawing: Drawing, theme: Theme, size: QSize, scale: float
) -> tuple[QImage, Sequence[Spot]]:
    """Make the picture, and say what can be clicked on it.

    Args:
        drawing: What is shown.
        theme: Where the colours come from.
        size: In logical pixels.
        scale: Device pixels for each logical pixel; text and lines grow with it.
    """
    make_canvas, make_figure = _canvas_and_figure()
    from matplotlib import rc_context

    with rc_context(_settings(theme)):
        figure = make_figure(
            figsize=(size.width() / BASE_DPI, size.height() / BASE_DPI),
            dpi=BASE_DPI * scale,
            facecolor=theme.colors["surface"],
            layout="constrained",
        )
        canvas = make_canvas(figure)
        drawing.draw(figure, theme)
        canvas.draw()  # type: ignore[no-untyped-call]
        spots = drawing.spots(figure)
        width, height = canvas.get_width_height()
        pixels = bytes(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    image = QImage(pixels, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
    image.setDevicePixelRatio(scale)
    return image, spots


def _canvas_and_figure() -> tuple[type[FigureCanvasAgg], type[Figure]]:
    """Import what draws; it takes half a second, so never on the GUI thread."""
    os.environ.setdefault("MPLCONFIGDIR", str(Paths.of().cache / "matplotlib"))
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    return FigureCanvasAgg, Figure


def _settings(theme: Theme) -> dict[RcKeyType, Any]:
    colors = theme.colors
    return {
        "font.family": ["DejaVu Sans"],
        "font.size": TEXT_PIXELS * _POINTS_AN_INCH / BASE_DPI,
        "text.color": colors["text"],
        "axes.facecolor": colors["surface"],
        "axes.edgecolor": colors["border"],
        "axes.labelcolor": colors["dim"],
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": "medium",
        "xtick.color": colors["border"],
        "ytick.color": colors["border"],
        "xtick.labelcolor": colors["dim"],
        "ytick.labelcolor": colors["dim"],
        "grid.color": colors["border"],
        "grid.linewidth": 0.6,
    }


@dataclass(frozen=True, slots=True)
class _Order:
    """One picture that was asked for; the number tells an old one from the newest."""

    drawing: Drawing
    theme: Theme
    size: QSize
    scale: float
    number: int


class _Easel:
    """Makes pictures in threads of its own, and knows no widget.

    A thread is neither a daemon nor pooled: Python waits for it at its exit, and it is gone when
    its picture is made.
    """

    def __init__(self) -> None:
        self.newest = 0
        self.done: SimpleQueue[tuple[QImage | None, Sequence[Spot], int]] = SimpleQueue()

    def make(self, order: _Order) -> None:
        """Begin a picture; those that were asked for before are dropped if nobody began them."""
        self.newest = order.number
        Thread(target=self._make, args=(order,), name="chart").start()

    def _make(self, order: _Order) -> None:
        image: QImage | None = None
        spots: Sequence[Spot] = ()
        try:
            with _drawing:
                if order.number == self.newest:
                    image, spots = render(order.drawing, order.theme, order.size, order.scale)
        finally:
            self.done.put((image, spots, order.number))


class Chart(QWidget):
    """Shows a drawing; draws it again when its size, the screen or the theme changes.

    Signals:
        drawn: The newest picture is on the screen.
        picked: The key of the point that was clicked.
    """

    drawn = Signal()
    picked = Signal(int)

    def __init__(self, theming: Theming, name: str, least: QSize | None = None) -> None:
        super().__init__()
        self._theming = theming
        self._name = name
        self._drawing: Drawing | None = None
        self._image: QImage | None = None
        self.spots: Sequence[Spot] = ()
        self._number = 0
        self._easel = _Easel()
        self._look = QTimer(self, interval=_LOOK_MS)
        self._look.timeout.connect(self._collect)
        # A window being resized asks many times a second; only the last size is drawn.
        self._settle = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._settle.timeout.connect(self._request)
        self.setMinimumSize(least or QSize(240, 160))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(name)
        theming.changed.connect(self._request)

    def show_drawing(self, drawing: Drawing | None) -> None:
        """Show another drawing, or nothing."""
        if drawing == self._drawing:
            return
        self._drawing = drawing
        self.setAccessibleDescription(drawing.description() if drawing else "")
        if drawing is None:
            self._image = None
            self.update()
        self._request()

    def image(self) -> QImage | None:
        """The newest picture, for a report or the clipboard."""
        return self._image

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what was asked for while it was hidden."""
        super().showEvent(event)
        self._settle.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw for the new size once it has settled."""
        super().resizeEvent(event)
        self._settle.start()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the newest picture; while a new size is being drawn, the old one is stretched."""
        painter = QPainter(self)
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.rect(), self._image)
        elif self._drawing is not None:
            painter.setPen(self._theming.current.color("dim"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Drawing…")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which point was clicked."""
        spot = self._spot_at(event.position())
        if spot is not None and event.button() is Qt.MouseButton.LeftButton:
            self.picked.emit(spot.key)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show that a point can be clicked."""
        hand = self._spot_at(event.position()) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)

    def _spot_at(self, place: QPointF) -> Spot | None:
        """The nearest point within reach of the mouse."""
        reach = [
            (QPointF(spot.x * self.width() - place.x(), spot.y * self.height() - place.y()), spot)
            for spot in self.spots
        ]
        near = [(d.manhattanLength(), spot) for d, spot in reach]
        distance, spot = min(near, key=lambda one: one[0], default=(_REACH + 1.0, None))
        return spot if distance <= _REACH else None

    def _request(self) -> None:
        if self._drawing is None or not self.isVisible() or self.size().isEmpty():
            return
        self._number += 1
        scale = self.devicePixelRatioF()
        theme = self._theming.current
        self._easel.make(_Order(self._drawing, theme, self.size(), scale, self._number))
        self._look.start()

    def _collect(self) -> None:
        """Take the newest picture if it is there."""
        try:
            image, spots, number = self._easel.done.get_nowait()
        except Empty:
            return
        if number != self._number:
            return
        self._look.stop()
        if image is not None and self._drawing is not None:
            self._image, self.spots = image, spots
            self.setMouseTracking(bool(spots))
            self.update()
            self.drawn.emit()
