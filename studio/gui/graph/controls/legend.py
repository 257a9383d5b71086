"""Legend of the colours of a graph, in its dock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from studio.gui.graph.families import TITLES
from studio.gui.graph.overlay import SCALE, Overlay, heat
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID

_COLUMN, _SCALE_WIDTH, _SCALE_HEIGHT = 136, 248, 60
_LINE, _SWATCH = 18, 10
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_FONT = 11


class Legend(QWidget):
    """The legend of the colours: the families or states that occur, or a colour scale.

    Attributes:
        is_wide: Whether it stands below the canvas, in columns.
    """

    def __init__(self, theming: Theming, parent: QWidget) -> None:
        super().__init__(parent)
        self._theming = theming
        self._families: list[str] = []
        self._overlay: Overlay | None = None
        self.is_wide = False
        self._room = 0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theming.changed.connect(self.update)

    def set_wide(self, is_wide: bool, room: int) -> None:
        """Arrange the keys in columns below the canvas, or in one at its side.

        Args:
            room: Height in pixels below the canvas.
        """
        self.is_wide, self._room = is_wide, room
        self._fit()

    def show_families(self, families: list[str]) -> None:
        """Show the families in the order given."""
        self._families, self._overlay = families, None
        self.setAccessibleName("Colours: " + ", ".join(TITLES[name] for name in families))
        self._fit()

    def show_overlay(self, overlay: Overlay) -> None:
        """Show a colour scale, or the states."""
        self._overlay = overlay
        if overlay.keys:
            names = ", ".join(f"{name} {overlay.counts[name]:,}" for name, _ in overlay.keys)
            self.setAccessibleName(f"{overlay.title}: {names}")
        else:
            self.setAccessibleName(f"{overlay.title}, from {overlay.least} to {overlay.most}")
        self._fit()

    def _fit(self) -> None:
        """Take the size that the keys or the scale need in this place."""
        is_scale = self._overlay is not None and not self._overlay.keys
        keys = len(self._keys())
        self.setMinimumSize(0, 0)
        self.setMaximumSize(_ANY, _ANY)
        if self.is_wide:
            rows = self._rows()
            self.setFixedWidth(_SCALE_WIDTH if is_scale else max(-(-keys // rows), 1) * _COLUMN)
        else:
            self.setFixedHeight(_SCALE_HEIGHT if is_scale else (self._titled() + keys) * _LINE)
        self.update()

    def _keys(self) -> Sequence[tuple[str, QColor]]:
        if self._overlay is not None:
            return self._overlay.keys
        theme = self._theming.current
        return [(TITLES[name], theme.graph_color(name)) for name in self._families]

    def _titled(self) -> int:
        """Return how many lines the title takes."""
        return int(self._overlay is not None)

    def _rows(self) -> int:
        """Return how many keys stand in one column."""
        if not self.is_wide:
            return max(len(self._keys()), 1)
        return max(self._room // _LINE - self._titled(), 1)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self.font()
        font.setPixelSize(_FONT)
        painter.setFont(font)
        if self._overlay is not None and not self._overlay.keys:
            self._paint_scale(painter, self._overlay)
            return
        if self._overlay is not None:
            self._paint_title(painter, self._overlay.title, _LINE)
        counts = self._overlay.counts if self._overlay is not None else {}
        self._paint_keys(painter, self._keys(), counts)

    def _paint_title(self, painter: QPainter, text: str, height: int) -> None:
        painter.setPen(self._theming.current.color("dim"))
        metrics = painter.fontMetrics()
        title = metrics.elidedText(text, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(QRectF(0, 0, self.width(), height), _LEFT, title)

    def _paint_keys(
        self, painter: QPainter, keys: Sequence[tuple[str, QColor]], counts: Mapping[str, int]
    ) -> None:
        """Paint a line for each key, with its count at the right."""
        rows, first = self._rows(), self._titled()
        wide = _COLUMN - GRID if self.is_wide else self.width()
        metrics = painter.fontMetrics()
        for place, (title, color) in enumerate(keys):
            left, top = place // rows * _COLUMN, (first + place % rows) * _LINE
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawRoundedRect(QRectF(left, top + 4, _SWATCH, _SWATCH), 3, 3)
            painter.setPen(self._theming.current.color("dim"))
            before = _SWATCH + 6
            text = QRectF(left + before, top, wide - before, _LINE)
            count = f"{counts[title]:,}" if title in counts else ""
            room = int(text.width()) - metrics.horizontalAdvance(count) - (4 if count else 0)
            painter.drawText(
                text, _LEFT, metrics.elidedText(title, Qt.TextElideMode.ElideRight, room)
            )
            painter.drawText(text, _RIGHT, count)

    def _paint_scale(self, painter: QPainter, overlay: Overlay) -> None:
        theme = self._theming.current
        self._paint_title(painter, overlay.title, _LINE)
        inner = self.rect()
        gradient = QLinearGradient(inner.left(), 0, inner.right(), 0)
        for stop in range(len(SCALE)):
            share = stop / (len(SCALE) - 1)
            gradient.setColorAt(share, heat(share))
        painter.fillRect(QRectF(inner.left(), _LINE + 2, inner.width(), 8), gradient)
        ends = QRectF(0, _LINE + 14, inner.width(), _LINE)
        painter.setPen(theme.color("dim"))
        painter.drawText(ends, _LEFT, overlay.least)
        painter.drawText(ends, _RIGHT, overlay.most)


_ANY = 16_777_215
"""Qt's largest size."""
