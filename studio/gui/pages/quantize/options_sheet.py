"""A sheet over the page with all presets, all options, and what the pre-flight check has found."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from studio.api import Kind, Option
from studio.gui.widgets.basics import GRID, Scroll, Segmented, button, label, line, row
from studio.gui.widgets.right_edge import take_right_edge

WIDTH = 64 * GRID
_OF_THE_PRESET = ("method", "calibration", "samples", "keep_float", "preset")
_LISTED = ("float_nodes",)
"""Options that the page shows in another way than as fields."""


class OptionsSheet(QFrame):
    """A sheet at the right edge of its parent; it lies over the page and moves nothing.

    Signals:
        accepted: The button in the footer was pressed.
        closed: It is hidden again.

    Args:
        views: Contents by title; each is a page of the sheet.
    """

    accepted = Signal()
    closed = Signal()

    def __init__(self, title: str, views: dict[str, QWidget], action: str, page: QWidget) -> None:
        super().__init__(page)
        self._page = page
        self.setProperty("role", "sheet")
        take_right_edge(self)
        self.setAccessibleName(title)
        self.views = Segmented(tuple(views), f"{title} views")
        self.primary = button(action, self._accept, "primary")
        self._close = button("Close", self.close_sheet)
        self._panes = list(views.values())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        head = row(label(title, "heading"), None, self.views)
        head.setContentsMargins(2 * GRID, GRID + 4, 2 * GRID, GRID + 4)
        foot = row(None, self._close, self.primary)
        foot.setContentsMargins(2 * GRID, GRID + 4, 2 * GRID, GRID + 4)
        layout.addLayout(head)
        layout.addWidget(line())
        for pane in self._panes:
            layout.addWidget(pane, 1)
        layout.addWidget(line())
        layout.addLayout(foot)
        self.views.changed.connect(self.show_view)
        self.show_view(0)
        page.installEventFilter(self)
        self.hide()

    def show_view(self, index: int) -> None:
        """Show one of the contents."""
        self.views.choose(index)
        for number, pane in enumerate(self._panes):
            pane.setVisible(number == index)

    def open_sheet(self, view: int = 0) -> None:
        """Show the sheet over the page."""
        self.show_view(view)
        self._place()
        self.show()
        self.raise_()
        self._page.updateGeometry()  # messages over the page make room
        self._panes[view].setFocus(Qt.FocusReason.OtherFocusReason)

    def close_sheet(self) -> None:
        """Hide the sheet; what was chosen in it stays."""
        if not self.isHidden():
            self.hide()
            self._page.updateGeometry()
            self.closed.emit()

    def _accept(self) -> None:
        self.close_sheet()
        self.accepted.emit()

    def _place(self) -> None:
        width = min(WIDTH, self._page.width())
        self.setGeometry(self._page.width() - width, 0, width, self._page.height())

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Follow the size of the page."""
        if event.type() is QEvent.Type.Resize:
            self._place()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close with Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_sheet()
        else:
            super().keyPressEvent(event)


def column(*contents: QWidget, margin: int = 0) -> QWidget:
    """Return a pane with contents below each other."""
    pane = QWidget()
    layout = QVBoxLayout(pane)
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(3 * GRID)
    for content in contents:
        layout.addWidget(content)
    return pane


def scrolled(content: QWidget) -> Scroll:
    """Return a pane that scrolls where it is longer than the sheet."""
    scroll = Scroll()
    scroll.body.addWidget(content)
    scroll.body.addStretch(1)
    return scroll


def own_options(options: Iterable[Option]) -> tuple[Option, ...]:
    """Return a step's options that are not the preset's; the model is the current variant."""
    return tuple(
        option
        for option in options
        if option.kind not in (Kind.MODEL, Kind.OUTPUT)
        and option.name not in (*_OF_THE_PRESET, *_LISTED)
    )
