"""The inspector dock of the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QSizePolicy, QStackedWidget, QWidget

WIDTH = 312


class InspectorDock(QDockWidget):
    """The dock of a page's inspector, hidden on pages without one.

    Attributes:
        wanted: Whether the user wants to see inspectors at all.
    """

    def __init__(self) -> None:
        super().__init__("Inspector")
        self.wanted = True
        self._content: QWidget | None = None
        self._is_sized = False
        self.setObjectName("inspector")
        self.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        self.setTitleBarWidget(QWidget())
        self._stack = QStackedWidget()
        self._stack.setProperty("role", "dock")
        self._stack.setProperty("side", "right")
        self._stack.setMinimumWidth(WIDTH)
        self._stack.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._stack.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setWidget(self._stack)
        self.hide()

    def show_content(self, content: QWidget | None) -> None:
        """Show a page's inspector; None hides the dock."""
        self._content = content
        if content is not None:
            if self._stack.indexOf(content) < 0:
                self._stack.addWidget(content)
            self._stack.setCurrentWidget(content)
        self.setVisible(content is not None and self.wanted)
        self._set_first_width()

    def has_content(self) -> bool:
        """Return whether the page has something to inspect."""
        return self._content is not None

    def toggle(self) -> None:
        """Show or hide it, on this page and on the others."""
        self.wanted = not self.wanted
        self.setVisible(self.has_content() and self.wanted)
        self._set_first_width()

    def _set_first_width(self) -> None:
        """Start narrow; from then on the width is the user's."""
        window = self.parentWidget()
        if not self._is_sized and self.isVisible() and isinstance(window, QMainWindow):
            self._is_sized = True
            window.resizeDocks([self], [WIDTH], Qt.Orientation.Horizontal)
