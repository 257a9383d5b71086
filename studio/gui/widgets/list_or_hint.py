"""A list, or a hint where it has no rows; nothing before it is known which."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

LIST, HINT, UNREAD = range(3)


class ListOrHint(QStackedWidget):
    """A stack that fills a view: empty cards would look like a list without content.

    Args:
        view: The widget that is filled.
        listed: Shown when there are rows.
        hint: Shown when there are none.
    """

    def __init__(self, view: QWidget, listed: QWidget, hint: QWidget) -> None:
        super().__init__()
        unread = QWidget()
        unread.setAccessibleName("Loading")
        # It holds the keyboard's place on the page until the list is there.
        unread.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for widget in (listed, hint, unread):
            self.addWidget(widget)
        self.setCurrentIndex(UNREAD)
        outer = QVBoxLayout(view)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self)

    def show_list(self, has_rows: bool) -> None:
        """Show the list or the hint, now that the rows were read."""
        self.setCurrentIndex(LIST if has_rows else HINT)
