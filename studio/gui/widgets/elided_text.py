"""A link that shortens its text to the room that it has."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy

from studio.api.qt import plain_tip
from studio.gui.widgets.basics import GRID


class ElidedButton(QPushButton):
    """A button with a shortened text, and the whole text as tooltip.

    Args:
        name: For screen readers; the text by default.
    """

    def __init__(
        self, text: str, clicked: Callable[[], object] | None = None, name: str = ""
    ) -> None:
        super().__init__()
        self._full = text
        self.setProperty("kind", "link")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name or text)
        if clicked is not None:
            self.clicked.connect(lambda _checked=False: clicked())
        self.set_text(text)

    def set_text(self, text: str) -> None:
        """Show another text."""
        self._full = text
        self.setToolTip(plain_tip(text))
        self._elide()

    def full_text(self) -> str:
        """Return the text before it was shortened."""
        return self._full

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten again for the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = max(self.width() - GRID, 3 * GRID)
        middle = Qt.TextElideMode.ElideMiddle
        self.setText(self.fontMetrics().elidedText(self._full, middle, room))
