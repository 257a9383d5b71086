"""What the colours of the graph say, in a corner of the canvas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from studio.gui.graph.families import TITLES
from studio.gui.graph.overlay import SCALE, Overlay, heat
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID

_WIDTH, _SCALE_WIDTH = 176, 248
_LINE, _SWATCH = 20, 12
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Legend(QWidget):
    """The legend of the colours: the families or states that occur, or a colour scale."""

    def __init__(self, theming: Theming, parent: QWidget) -> None:
        super().__init__(parent)
        self._theming = theming
        self._families: list[str] = []
        self._overlay: Overlay | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theming.changed.connect(self.update)

    def show_families(self, families: list[str]) -> None:
        """Show the families in the order given."""
        self._families, self._overlay = families, None
        rows = len(families)
        self.setFixedSize(_WIDTH, rows * _LINE + 2 * GRID)
        self.setAccessibleName("Colours: " + ", ".join(TITLES[name] for name in families))
        self.update()

    def show_overlay(self, overlay: Overlay) -> None:
        """Show a colour scale, or the states."""
        self._overlay = overlay
        if overlay.keys:
            self.setFixedSize(_WIDTH, (len(overlay.keys) + 1) * _LINE + 2 * GRID)
            names = ", ".join(f"{name} {overlay.counts[name]:,}" for name, _ in overlay.keys)
            self.setAccessibleName(f"{overlay.title}: {names}")
        else:
            self.setFixedSize(_SCALE_WIDTH, 64)
            self.setAccessibleName(f"{overlay.title}, from {overlay.least} to {overlay.most}")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme = self._theming.current
        painter.setPen(QPen(theme.color("border"), 1))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        font = self.font()
        font.setPixelSize(11)
        painter.setFont(font)
        if self._overlay is None:
            families = self._families
            self._paint_keys(painter, [(TITLES[one], theme.graph_color(one)) for one in families])
        elif self._overlay.keys:
            painter.setPen(theme.color("dim"))
            title = self.fontMetrics().elidedText(
                self._overlay.title, Qt.TextElideMode.ElideRight, _WIDTH
            )
            painter.drawText(QRectF(GRID + 2, GRID, self.width(), _LINE), _LEFT, title)
            self._paint_keys(painter, self._overlay.keys, 1, self._overlay.counts)
        else:
            self._paint_scale(painter, self._overlay)

    def _paint_keys(
        self,
        painter: QPainter,
        keys: Sequence[tuple[str, QColor]],
        first: int = 0,
        counts: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Paint a line for each key, from a line on, with its count at the right."""
        for row, (title, color) in enumerate(keys, first):
            top = GRID + row * _LINE
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawRoundedRect(QRectF(GRID + 2, top + 4, _SWATCH, _SWATCH), 3, 3)
            painter.setPen(self._theming.current.color("dim"))
            left = GRID + _SWATCH + 12
            text = QRectF(left, top, self.width() - left - GRID - 2, _LINE)
            painter.drawText(text, _LEFT, title)
            if title in counts:
                painter.drawText(text, _RIGHT, f"{counts[title]:,}")

    def _paint_scale(self, painter: QPainter, overlay: Overlay) -> None:
        theme = self._theming.current
        inner = self.rect().adjusted(GRID + 2, GRID, -GRID - 2, -GRID)
        painter.setPen(theme.color("dim"))
        painter.drawText(
            inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, overlay.title
        )
        gradient = QLinearGradient(inner.left(), 0, inner.right(), 0)
        for stop in range(len(SCALE)):
            share = stop / (len(SCALE) - 1)
            gradient.setColorAt(share, heat(share))
        painter.fillRect(QRectF(inner.left(), inner.top() + 19, inner.width(), 8), gradient)
        bottom = Qt.AlignmentFlag.AlignBottom
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | bottom, overlay.least)
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | bottom, overlay.most)
