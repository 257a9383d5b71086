"""The alert inbox: what holds, what was; acknowledge it, or let it be silent for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHeaderView, QTableView

from studio.api import StudioError
from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.pages.shared import target_rows
from studio.gui.widgets.basics import GRID, Card, button, label, row, set_enabled
from studio.workspace.inbox import AlertEntry, Inbox

_SHOWN = 200
_SHARES = (0.36, 0.26, 0.18)
"""Of the width; the last column has the rest."""
_NOWHERE = QModelIndex()
Index = QModelIndex | QPersistentModelIndex
_LENGTHS = (("an hour", 3600.0), ("8 hours", 28800.0), ("a day", 86400.0), ("a week", 604800.0))
_COLUMNS = ("Alert", "Endpoint", "Since", "State")


class Entries(QAbstractTableModel):
    """The inbox as a table: a view asks only for what it shows, however often alerts change."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__()
        self._inbox = inbox
        self.entries: list[AlertEntry] = []

    def refresh(self) -> None:
        """Read the current entries of the inbox."""
        self.beginResetModel()
        self.entries = self._inbox.entries()[:_SHOWN]
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        """Return the number of alerts."""
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(_COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the text of a cell; for the tooltip the endpoint and the whole sentence."""
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{target_rows.named(entry.target)}: {entry.text}")
        return self._cell(entry, index.column())

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the title of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _COLUMNS[section]
        return None

    def _cell(self, entry: AlertEntry, column: int) -> str:
        if column == 0:
            return f"{entry.name.capitalize()}: {entry.text}"
        if column == 1:
            return target_rows.named(entry.target)
        if column == 2:
            return figures.moment(_iso(entry.since))
        if not entry.active:
            return "resolved"
        if (hold := self._inbox.silence_of(entry)) is not None:
            return f"silenced until {figures.moment(_iso(hold.until))}"
        return "acknowledged" if entry.acknowledged else entry.level


class InboxCard(Card):
    """The alert inbox of all endpoints."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__("Alert inbox")
        self._inbox = inbox
        self.model = Entries(inbox)
        self.calm = label("No alerts yet.", "dim")
        self.table = QTableView()
        self.table.setModel(self.model)
        self.table.setAccessibleName("Alerts, firing first")
        self.table.setMinimumHeight(150)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        header.setMinimumSectionSize(24)
        header.setStretchLastSection(True)
        self.acknowledge = button("Acknowledge", self._acknowledge)
        self.length = QComboBox()
        self.length.setAccessibleName("Silence duration")
        for title, seconds in _LENGTHS:
            self.length.addItem(f"for {title}", seconds)
        self.silence = button("Silence", self._silence)
        self.fault = label("", tone="bad", wrap=True)
        self.fault.hide()
        self.body.addWidget(self.calm, 1, Qt.AlignmentFlag.AlignTop)
        self.body.addWidget(self.table, 1)
        self.body.addLayout(row(self.acknowledge, self.silence, self.length, None))
        self.body.addWidget(self.fault)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._explain())
        self.show_entries()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give each column its share, however narrow the window is."""
        super().resizeEvent(event)
        room = self.width() - 7 * GRID  # the card's margins and the scroll bar
        for column, share in enumerate(_SHARES):
            self.table.setColumnWidth(column, int(share * room))

    def show_entries(self) -> None:
        """Show what the inbox holds now; the selection stays on its alert."""
        chosen = self._chosen()
        key = (chosen.target, chosen.name) if chosen else None
        self.model.refresh()
        found = self.model.entries
        self.calm.setVisible(not found)
        self.table.setVisible(bool(found))
        keys = [(entry.target, entry.name) for entry in found]
        if keys:
            self.table.selectRow(keys.index(key) if key in keys else 0)
        self._explain()

    def _chosen(self) -> AlertEntry | None:
        place = self.table.currentIndex().row()
        return self.model.entries[place] if 0 <= place < len(self.model.entries) else None

    def _explain(self) -> None:
        entry = self._chosen()
        reason = "Select an alert." if entry is None else ""
        if entry is not None and not entry.active:
            reason = "This alert is resolved."
        silent = entry is not None and self._inbox.is_silent(entry)
        self.silence.setText("Remove silence" if silent else "Silence")
        self.length.setVisible(not silent)
        set_enabled(self.silence, reason)
        seen = entry is not None and entry.acknowledged
        set_enabled(
            self.acknowledge, reason or ("This alert is already acknowledged." if seen else "")
        )

    def _acknowledge(self) -> None:
        if (entry := self._chosen()) is not None:
            self._do(lambda: self._inbox.acknowledge(entry))

    def _silence(self) -> None:
        if (entry := self._chosen()) is not None:
            seconds = float(self.length.currentData())
            wanted = 0.0 if self._inbox.is_silent(entry) else seconds
            self._do(lambda: self._inbox.silence(entry, wanted))

    def _do(self, what: Callable[[], None]) -> None:
        """Do it, and show it; what could not be written is said."""
        sentence = ""
        try:
            what()
        except StudioError as error:
            sentence = error.message
        self.fault.setText(sentence)
        self.fault.setVisible(bool(sentence))
        self.show_entries()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
