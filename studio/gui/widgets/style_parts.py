"""Containers that have no look of their own, so that what they hold is styled part by part.

A change of the theme styles one part in a turn of the event loop; see ``theme.Theming``.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QScrollBar, QSplitter, QSplitterHandle, QStackedWidget, QWidget

from studio.gui.widgets.basics import GRID, Scroll


class PartStack(QStackedWidget):
    """A stack of which each page is styled alone."""

    def __init__(self, *pages: QWidget) -> None:
        super().__init__()
        for page in pages:
            self.addWidget(page)

    def style_parts(self) -> list[QWidget]:
        """Return the pages."""
        pages = (self.widget(at) for at in range(self.count()))
        return [page for page in pages if page is not None]


class _Handle(QSplitterHandle):
    """A line in the colour that the style sheet gives to the handles of other splitters."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Fill it."""
        QPainter(self).fillRect(event.rect(), self.palette().color(QPalette.ColorRole.Mid))


class PartSplitter(QSplitter):
    """A splitter of which each widget is styled alone; the handles need no style sheet."""

    def createHandle(self) -> QSplitterHandle:
        """Return a handle."""
        return _Handle(self.orientation(), self)

    def style_parts(self) -> list[QWidget]:
        """Return the widgets."""
        widgets = (self.widget(at) for at in range(self.count()))
        return [one for one in widgets if one is not None]


class PartScroll(Scroll):
    """A scrolling column of which each widget is styled alone.

    Whatever is added to ``body`` has to be there before the column is styled.
    """

    def __init__(self, margin: int = 2 * GRID, spacing: int = 2 * GRID) -> None:
        super().__init__(margin, spacing)
        self._bar = QScrollBar(Qt.Orientation.Vertical)
        self.setVerticalScrollBar(self._bar)
        for ground in (self.viewport(), *self.viewport().findChildren(QWidget)):
            ground.setAutoFillBackground(False)

    def style_parts(self) -> list[QWidget]:
        """Return the widgets of the column, and the scroll bar."""
        items = (self.body.itemAt(at) for at in range(self.body.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [*(one for one in widgets if one is not None), self._bar]
