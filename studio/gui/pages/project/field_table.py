"""The table of a project's fields: a mark, the value, its source, and a button to change it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QMenu, QPushButton, QSizePolicy, QWidget

from studio.api.qt import plain_tip
from studio.gui.pages.project.rows import OPEN, READY, WARNING, ProjectRow
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Dot, ElidedLabel, button, clear, label, line

FillMenu = Callable[[QMenu, ProjectRow], None]
_TOKENS = {READY: "good", WARNING: "warning", OPEN: "idle"}
_ROW_HEIGHT = 5 * GRID
_COLUMNS = 5


class FieldTable(QWidget):
    """Rows of mark, title, value, source and button.

    Args:
        fill: Fills the menu of a row's button when it is opened.
    """

    def __init__(self, theming: Theming, fill: FillMenu) -> None:
        super().__init__()
        self._theming = theming
        self._fill = fill
        self._rows: tuple[ProjectRow, ...] = ()
        self.buttons: dict[str, QPushButton] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, GRID, 0, 0)
        self._grid.setHorizontalSpacing(2 * GRID)
        self._grid.setVerticalSpacing(0)
        self._grid.setColumnStretch(2, 3)
        self._grid.setColumnStretch(3, 2)

    def show_rows(self, rows: Sequence[ProjectRow]) -> None:
        """Show other rows; what stays the same keeps its widgets, with a menu that is open."""
        before, self._rows = self._rows, tuple(rows)
        if [one.field for one in before] != [one.field for one in rows]:
            clear(self._grid)
            self.buttons, before = {}, ()
        for position, each in enumerate(rows):
            if not before or before[position] != each:
                self._remove(3 * position)
                self._add(3 * position, each)

    def _remove(self, y: int) -> None:
        """Delete the widgets of a row and of its issue; the line above it stays."""
        places = [(y + 1, x) for x in range(_COLUMNS)] + [(y + 2, 2)]
        for item in filter(None, (self._grid.itemAtPosition(*place) for place in places)):
            widget = item.widget()
            if widget is not None:
                self._grid.removeWidget(widget)
                widget.hide()
                widget.deleteLater()

    def _add(self, y: int, each: ProjectRow) -> None:
        if y and self._grid.itemAtPosition(y, 0) is None:
            self._grid.addWidget(line(), y, 0, 1, _COLUMNS)
        self._grid.setRowMinimumHeight(y + 1, _ROW_HEIGHT)
        dot = Dot(lambda: self._theming.current.color(_TOKENS[each.state]))
        dot.setAccessibleName(f"{each.title}: {each.state}")
        dot.setToolTip(plain_tip(each.state.capitalize()))
        value = ElidedLabel(each.value)
        value.setProperty("role", "" if each.state != OPEN else "dim")
        if each.whole:
            value.setToolTip(plain_tip(each.whole))
        cells: list[QWidget] = [dot, label(each.title, "strong"), value]
        if each.source:
            source = ElidedLabel(each.source, Qt.TextElideMode.ElideRight)
            source.setProperty("role", "dim")
            cells.append(source)
        for x, cell in enumerate(cells):
            # A value without a source has its place as well: it is mostly a sentence.
            width = 2 if cell is value and not each.source else 1
            self._grid.addWidget(cell, y + 1, x, 1, width, Qt.AlignmentFlag.AlignVCenter)
        if each.can_change:
            at = (y + 1, _COLUMNS - 1)
            self._grid.addWidget(self._button(each), *at, Qt.AlignmentFlag.AlignVCenter)
        if each.issue:
            issue = label(each.issue, tone="warning", wrap=True)
            issue.setContentsMargins(0, 0, 0, GRID)
            self._grid.addWidget(issue, y + 2, 2, 1, 3)

    def _button(self, each: ProjectRow) -> QPushButton:
        is_set = each.state != OPEN
        made = button("Change" if is_set else "Add")
        made.setAccessibleName(f"{made.text()} {each.title.lower()}")
        made.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        menu = QMenu(made)
        menu.aboutToShow.connect(lambda: self._fill(menu, each))
        made.setMenu(menu)
        self.buttons[each.field] = made
        return made
