"""A confirmation with a verb: what will happen, and a button that does it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget


class Question(QMessageBox):
    """A confirmation that names the object, the consequence and the verb.

    Args:
        parent: A dressed part of the page.
        verb: The text of the button that does it.
        agreed: Called after that button.
    """

    def __init__(
        self, parent: QWidget, text: str, detail: str, verb: str, agreed: Callable[[], object]
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Edgewright")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
        self.setInformativeText(detail)
        self.confirm = self.addButton(verb, QMessageBox.ButtonRole.AcceptRole)
        self.cancel = self.addButton(QMessageBox.StandardButton.Cancel)
        self.setDefaultButton(self.cancel)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.confirm.clicked.connect(lambda _checked=False: agreed())
