"""A bar of controls that breaks into two lines where it is narrow."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout

from studio.gui.widgets.basics import GRID


class WrappingBar(QFrame):
    """Two groups of controls: in one line where there is room, else in two.

    Args:
        margin: Pixels at the left and right.
    """

    def __init__(self, *groups: QHBoxLayout, margin: int = 2 * GRID) -> None:
        super().__init__()
        self._groups = groups
        self._margin = margin
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._line.setContentsMargins(margin, 4, margin, 4)
        self._line.setSpacing(4)
        for group, stretch in zip(groups, (0, 1), strict=True):
            self._line.addLayout(group, stretch)

    def minimumSizeHint(self) -> QSize:
        """Return the width of the wider group, as there may be two lines."""
        widest = max(group.minimumSize().width() for group in self._groups)
        return QSize(widest + 2 * self._margin, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose between one line and two."""
        super().resizeEvent(event)
        needed = sum(group.sizeHint().width() for group in self._groups)
        fits = needed + 2 * self._margin + 2 * GRID <= event.size().width()
        wanted = QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom
        if wanted != self._line.direction():
            self._line.setDirection(wanted)
