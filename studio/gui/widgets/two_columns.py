"""Two widgets next to each other, or one below the other where the page is narrow."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from studio.gui.widgets.basics import GRID

NARROW = 900
"""Pixels below which there is one column."""


class TwoColumns(QWidget):
    """Two widgets that share the width while there is enough of it.

    Args:
        stretch: Shares of the width.
        least: Pixels from which there are two columns.
    """

    def __init__(
        self, left: QWidget, right: QWidget, stretch: tuple[int, int] = (1, 1), least: int = NARROW
    ) -> None:
        super().__init__()
        self._least = least
        self._layout = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GRID + GRID // 2)
        for widget, share in zip((left, right), stretch, strict=True):
            self._layout.addWidget(widget, share)

    def minimumSizeHint(self) -> QSize:
        """As wide as the wider of the two: they need not fit next to each other."""
        hint = super().minimumSizeHint()
        items = [self._layout.itemAt(place) for place in range(self._layout.count())]
        hint.setWidth(max(item.minimumSize().width() for item in items if item is not None))
        return hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose the direction for the new width."""
        super().resizeEvent(event)
        narrow = event.size().width() < self._least
        wanted = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        if wanted is not self._layout.direction():
            self._layout.setDirection(wanted)
            self.updateGeometry()
