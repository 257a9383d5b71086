"""Groups of boards as a table model, each with its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QAbstractTableModel, Qt

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.pages.fleet.boards_model import LEFT, NOWHERE, RIGHT, TONES, Index, share
from studio.gui.pages.fleet.cell_texts import CellTexts
from studio.gui.theme import Theming
from studio.monitoring.boards.results import GroupFigures
from studio.workspace.boards.view import STATES

COLUMNS = (
    *("Group", "Boards", *(name.capitalize() for name in STATES)),
    *("Requests", "Failed", "p50/p95 ms", "p50/p95 MB", "p50/p95 °C"),
)
_DIGITS = 12
_STATE = 2
_REQUESTS, _FAILED, _LATENCY, _MEMORY, _CELSIUS = range(6, 11)


class GroupsModel(QAbstractTableModel):
    """A row for each group, the largest first."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.groups: Sequence[GroupFigures] = ()
        self._by = ""
        self._cells = CellTexts(self, lambda row, column: cell(self.groups[row], column))

    def show_groups(self, groups: Sequence[GroupFigures], by: str) -> None:
        """Show other groups, or the same with newer figures."""
        before = [one.group for one in self.groups]
        if by == self._by and before == [one.group for one in groups]:
            self.groups = groups
            self._cells.send_changes()
            return
        self.beginResetModel()
        self.groups, self._by = groups, by
        self._cells.forget()
        self.endResetModel()

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """Return the number of groups."""
        return 0 if parent.isValid() else len(self.groups)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the text of a cell, its side, colour or tip."""
        column, group = index.column(), self.groups[index.row()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if column else LEFT
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{group.group}: click to filter by it")
        if role == Qt.ItemDataRole.ForegroundRole and _STATE <= column < _REQUESTS:
            is_any = group.states.get(STATES[column - _STATE], 0) > 0
            return self._theming.current.color(TONES[column - _STATE] if is_any else "dim")
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._cells.give(index.row(), column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the title of a column, and its side."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if section else LEFT
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return COLUMNS[section] if section else self._by.capitalize() or COLUMNS[0]


def cell(group: GroupFigures, column: int) -> str:
    """Return the text of a group in a column."""
    if column == 0:
        return group.group[:_DIGITS] if len(group.group) == 64 else group.group
    if column == 1:
        return figures.whole(group.boards)
    if column < _REQUESTS:
        return figures.whole(group.states.get(STATES[column - _STATE], 0))
    if column == _REQUESTS:
        return figures.whole(group.requests)
    if column == _FAILED:
        return share(group.errors, group.requests)
    if column == _LATENCY:
        return _pair([figures.milliseconds(one) for one in _both(group.latency_ms)])
    found = group.of_boards.get({_MEMORY: "memory_mb", _CELSIUS: "celsius"}[column], {})
    return _pair([f"{one:,.0f}" for one in _both(found)])


def _both(values: Mapping[str, float]) -> list[float]:
    return [values[name] for name in ("p50", "p95") if name in values]


def _pair(texts: Sequence[str]) -> str:
    return " / ".join(texts) or figures.NOTHING
