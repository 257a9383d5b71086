"""A panel over the right edge of the window, with a title and a close button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from studio.gui import icons
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, button, label, row
from studio.gui.widgets.right_edge import take_right_edge

if TYPE_CHECKING:
    from studio.workspace import RunningJob

_TITLE_HEIGHT = 48


class SidePanel(QFrame):
    """A panel with a title and a close button. Add content to ``body``.

    Signals:
        closed: The panel was closed by the user.
    """

    closed = Signal()

    def __init__(self, title: str, theming: Theming, parent: QWidget) -> None:
        super().__init__(parent)
        self._theming = theming
        self.setProperty("role", "sidepanel")
        take_right_edge(self)
        self.setAccessibleName(title)
        self.heading = label(title, "heading")
        self.close_button = button("", self.closed.emit, "quiet")
        self.close_button.setAccessibleName(f"Close {title}")
        self.close_button.setToolTip("Close (Esc)")
        top = QFrame()
        top.setProperty("role", "docktitle")
        top.setFixedHeight(_TITLE_HEIGHT)
        inner = row(self.heading, None, self.close_button)
        inner.setContentsMargins(2 * GRID, 0, GRID, 0)
        top.setLayout(inner)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        self.body.addWidget(top)
        self.hide()
        theming.changed.connect(self.dress)
        self.dress()

    def read(self) -> None:
        """Read what the panel shows; called whenever it opens."""

    def refresh(self, job: RunningJob) -> None:
        """React to a change of a job while the panel is open."""

    def dress(self) -> None:
        """Set the icon in the theme's colour."""
        self.close_button.setIcon(icons.icon("close", self._theming.current.color("dim"), 16))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)
