"""Containers that have no look of their own, so that what they hold is styled part by part.

A change of the theme styles one part in a turn of the event loop; see ``theme.Theming``.
"""

from __future__ import annotations

from PySide6.QtWidgets import QStackedWidget, QWidget

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


class PartScroll(Scroll):
    """A scrolling column of which each widget is styled alone.

    Whatever is added to ``body`` has to be there before the column is styled.
    """

    def __init__(self, margin: int = 2 * GRID, spacing: int = 2 * GRID) -> None:
        super().__init__(margin, spacing)
        for ground in (self.viewport(), *self.viewport().findChildren(QWidget)):
            ground.setAutoFillBackground(False)

    def style_parts(self) -> list[QWidget]:
        """Return the widgets of the column, and the scroll bar."""
        items = (self.body.itemAt(at) for at in range(self.body.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [*(one for one in widgets if one is not None), self.verticalScrollBar()]
