"""One input of a model, drawn: a picture, a curve, or lines of text."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.datasets.results import DrawnInput
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID

_SMALL = 64


class InputPreview(QWidget):
    """A widget that paints the preview of an input by ``studio.datasets.input_preview``."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.image = QImage()
        self.values: Sequence[float] = ()
        self.lines: Sequence[str] = ()
        self.setMinimumSize(QSize(6 * GRID, 6 * GRID))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Input")
        theming.changed.connect(self.update)

    def show_input(self, drawn: DrawnInput) -> None:
        """Show another one."""
        self.image = QImage.fromData(base64.b64decode(drawn.png)) if drawn.png else QImage()
        self.values = drawn.values
        self.lines = drawn.lines
        self.setAccessibleDescription("; ".join(self.lines))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint it."""
        painter = QPainter(self)
        theme = self._theming.current
        if not self.image.isNull():
            is_small = max(self.image.width(), self.image.height()) <= _SMALL
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not is_small)
            size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
            painter.drawImage(QRectF(left, top, size.width(), size.height()), self.image)
            return
        painter.fillRect(self.rect(), theme.color("surface_2"))
        if self.values:
            self._paint_curve(painter)
            return
        painter.setPen(theme.color("text"))
        area = self.rect().adjusted(GRID, GRID, -GRID, -GRID)
        flags = (
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWrapAnywhere
        )
        painter.drawText(area, flags, "\n".join(self.lines))

    def _paint_curve(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theming.current.color("accent"), 1.2))
        low, high = min(self.values), max(self.values)
        span, last = (high - low) or 1.0, max(len(self.values) - 1, 1)
        width, height = self.width() - 2 * GRID, self.height() - 2 * GRID
        points = [
            QPointF(GRID + width * x / last, GRID + height * (1 - (value - low) / span))
            for x, value in enumerate(self.values)
        ]
        painter.drawPolyline(QPolygonF(points))
