"""The keys of the graph, shown over it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from studio.gui.graph.keyboard import KEYS
from studio.gui.widgets.basics import GRID, label

_KEY_WIDTH = 104


class KeyHelp(QFrame):
    """Lists the keys; goes with any key or click. The list is made when it is first opened."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._around = parent
        self.setProperty("role", "palette")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        spoken = [f"{keys}: {text}" for _, rows in KEYS for keys, text in rows]
        self.setAccessibleName("Keys of the graph")
        self.setAccessibleDescription(". ".join(spoken))
        self.hide()

    def _list(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 2 * GRID, 3 * GRID, 2 * GRID)
        layout.setSpacing(4)
        for title, rows in KEYS:
            layout.addWidget(label(title, "section"))
            grid = QGridLayout()
            grid.setContentsMargins(0, 0, 0, GRID)
            grid.setHorizontalSpacing(2 * GRID)
            grid.setVerticalSpacing(4)
            grid.setColumnMinimumWidth(0, _KEY_WIDTH)
            grid.setColumnStretch(1, 1)
            for place, (keys, text) in enumerate(rows):
                grid.addWidget(label(keys, "strong"), place, 0)
                grid.addWidget(label(text, "dim"), place, 1)
            layout.addLayout(grid)
        layout.addWidget(label("Any key closes this.", "small"))

    def open(self) -> None:
        """Show it in the middle of what it lies over."""
        if self.layout() is None:
            self._list()
        around = self._around
        size = self.sizeHint().boundedTo(around.size())
        self.setGeometry(
            (around.width() - size.width()) // 2,
            (around.height() - size.height()) // 2,
            size.width(),
            size.height(),
        )
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, _event: QKeyEvent) -> None:
        """Go."""
        self._close()

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        """Go."""
        self._close()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Go when something else was clicked."""
        super().focusOutEvent(event)
        if self.window().isActiveWindow():
            self.hide()

    def _close(self) -> None:
        self.hide()
        self._around.setFocus(Qt.FocusReason.OtherFocusReason)
