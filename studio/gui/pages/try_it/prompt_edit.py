"""The field for a message: Enter sends it, Shift+Enter begins a new line."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PromptEdit(QPlainTextEdit):
    """A few lines of plain text.

    Signals:
        sent: Enter was pressed.
    """

    sent = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Message")
        self.setAccessibleDescription("Enter sends the message, Shift+Enter begins a new line.")
        self.setPlaceholderText("Message. Enter sends it, Shift+Enter begins a new line.")
        self.setTabChangesFocus(True)

    @property
    def text(self) -> str:
        """The message without surrounding space."""
        return self.toPlainText().strip()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send with Enter."""
        shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in _ENTER and not shifted:
            self.sent.emit()
            return
        super().keyPressEvent(event)
