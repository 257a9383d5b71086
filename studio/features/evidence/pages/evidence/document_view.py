"""The list of sections next to the content of a view."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.features.evidence.pages.evidence.section_list import WIDTH, SectionList
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, row

_NARROW, _SLIM = 900, 236


class DocumentView(QWidget):
    """A list of sections at the left, which keeps its width, and a view at its right.

    Args:
        links: Quiet buttons below the list.

    Attributes:
        list: The sections.
    """

    def __init__(
        self, theming: Theming, name: str, content: QWidget, links: Sequence[QWidget] = ()
    ) -> None:
        super().__init__()
        self.list = SectionList(theming, name)
        self._card = Card()
        self._card.setAccessibleName(name)
        self._card.body.setContentsMargins(1, 4, 1, 4)
        self._card.body.addWidget(self.list)
        for link in links:
            foot = row(2 * GRID, link, None)
            self._card.body.addLayout(foot)
        self._card.setFixedWidth(WIDTH)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID + 4)
        layout.addWidget(self._card)
        layout.addWidget(content, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the list less room on a narrow page."""
        super().resizeEvent(event)
        self._card.setFixedWidth(WIDTH if event.size().width() >= _NARROW else _SLIM)
