"""The log of an endpoint in sentences, with levels and a filter."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QHeaderView, QLineEdit, QTableView

from studio.api.qt import plain_tip
from studio.gui.pages.monitor.log_lines import ERROR, INFO, WARNING, LogEntry, entries
from studio.gui.theme import Theming
from studio.gui.widgets.basics import GRID, Card, Segmented, label, row
from studio.monitoring.results import LogMessage

ALL, WARNINGS, ERRORS = range(3)
_COLUMNS = ("Time", "Level", "Subject", "Message")
_WIDTHS = (14 * GRID, 10 * GRID, 10 * GRID)
_ROW = 3 * GRID
_TOKENS = {INFO: "dim", WARNING: "warning_text", ERROR: "bad_text"}
_AnyIndex = QModelIndex | QPersistentModelIndex
_EMPTY = "The log is empty."
_NO_MATCH = "No matching lines."
_LOADING = "The log appears when the endpoint answers."


class LogModel(QAbstractTableModel):
    """The lines that are shown, the newest first."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.entries: Sequence[LogEntry] = ()

    def show_entries(self, found: Sequence[LogEntry]) -> None:
        """Show other lines."""
        self.beginResetModel()
        self.entries = found
        self.endResetModel()

    def rowCount(self, parent: _AnyIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of lines."""
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: _AnyIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:
        """Return the title of a column."""
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return _COLUMNS[section]
        return None

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a cell: its text, its colour, or the whole message as tooltip."""
        entry = self.entries[index.row()]
        column = index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return (entry.at, entry.level, entry.subject, entry.text)[column]
        if role == Qt.ItemDataRole.ToolTipRole and column == len(_COLUMNS) - 1:
            return plain_tip(entry.text)
        if role == Qt.ItemDataRole.ForegroundRole:
            token = ("dim", _TOKENS[entry.level], "accent_text", "text")[column]
            return self._theming.current.color(token)
        return None


class LogCard(Card):
    """The last lines; without *Follow* they stand still while one reads."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self.setAccessibleName("Log")
        self._all: Sequence[LogEntry] = ()
        self._held: Sequence[LogEntry] | None = None
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setAccessibleName("Filter of the log")
        self.filter.setClearButtonEnabled(True)
        self.filter.setMaximumWidth(24 * GRID)
        self.levels = Segmented((), "Level of the log")
        self._buttons = [self.levels.add(title) for title in ("All", "Warnings", "Errors")]
        self.follow = QCheckBox("Follow")
        self.follow.setChecked(True)
        self.model = LogModel(theming)
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setAccessibleName("Log, newest first")
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(_ROW)
        self.table.verticalHeader().setMinimumSectionSize(_ROW)
        header = self.table.horizontalHeader()
        header.hide()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setStretchLastSection(True)
        self.empty = label(_LOADING, "dim")
        self.body.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        head = row(label("Log", "section"), self.filter, self.levels, None, self.follow)
        head.setStretch(1, 1)
        self.body.addLayout(head)
        self.body.addWidget(self.empty, 1, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self.table, 1)
        self.filter.textChanged.connect(lambda _: self._show())
        self.levels.changed.connect(lambda _: self._show())
        self.follow.toggled.connect(self._followed)
        theming.changed.connect(self.table.viewport().update)
        self.clear()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the rest of the width to the messages."""
        super().resizeEvent(event)
        for column, width in enumerate(_WIDTHS):
            self.table.setColumnWidth(column, width)

    def clear(self) -> None:
        """Forget all lines."""
        self._all, self._held = (), None
        self._show()
        self.empty.setText(_LOADING)

    def show_log(self, message: LogMessage) -> None:
        """Show the newest lines of the server, unless the user reads older ones."""
        found = entries(message.lines)
        if self.follow.isChecked():
            self._all = found
            self._show()
        else:
            self._held = found

    def _followed(self, following: bool) -> None:
        if following and self._held is not None:
            self._all, self._held = self._held, None
            self._show()

    def _show(self) -> None:
        words = self.filter.text().lower().split()
        matching = [one for one in self._all if one.matches(words)]
        kinds = {ALL: (INFO, WARNING, ERROR), WARNINGS: (WARNING,), ERRORS: (ERROR,)}
        for place, title in ((WARNINGS, "Warnings"), (ERRORS, "Errors")):
            number = sum(one.level in kinds[place] for one in matching)
            self._buttons[place].setText(f"{title} {number}")
            self._buttons[place].setAccessibleName(f"{title}: {number}")
        wanted = kinds[self.levels.index()]
        shown = [one for one in matching if one.level in wanted]
        self.model.show_entries(shown)
        self.empty.setText(_NO_MATCH if self._all else _EMPTY)
        self.empty.setVisible(not shown)
        self.table.setVisible(bool(shown))
