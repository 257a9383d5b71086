"""The boards as a table model, which takes over snapshots without a reset."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.pages.fleet.cell_texts import CellTexts
from studio.gui.theme import Theming
from studio.workspace.boards.view import STATES, BoardsSnapshot, BoardTexts

Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
TONES = ("good_text", "warning_text", "bad_text", "bad_text")
"""Colours of the states, in their order."""

COLUMNS = (
    *("State", "Board", "Model", "Release", "Requests", "Failed", "p50 ms", "p95 ms"),
    *("MB", "°C", "Heard", "Alerts"),
)
STATE, BOARD, MODEL, RELEASE, REQUESTS, FAILED, P50, P95, MEMORY, CELSIUS, HEARD, ALERTS = range(12)
NUMERIC = frozenset((REQUESTS, FAILED, P50, P95, MEMORY, CELSIUS, HEARD))
_DIGITS = 8
_SKEW_S = 300.0
_NO_ROWS: NDArray[np.intp] = np.zeros(0, np.intp)


class BoardsModel(QAbstractTableModel):
    """The selected boards, worst first; a view asks for the cells that it shows."""

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._theming = theming
        self.snapshot: BoardsSnapshot | None = None
        self._rows = _NO_ROWS
        self._cells = CellTexts(self, self._cell)

    def show_snapshot(self, snapshot: BoardsSnapshot) -> None:
        """Take over a snapshot; a selected board stays selected, wherever it moves."""
        before, after = self._rows, snapshot.rows
        if len(before) == len(after) and np.array_equal(before, after):
            self.snapshot = snapshot
            self._cells.send_changes()
            return
        self._cells.forget()
        gone = before[~np.isin(before, after)]
        both = np.concatenate([after, gone])
        if len(both) > len(before):
            self.beginInsertRows(NOWHERE, len(before), len(both) - 1)
            self._rows = np.concatenate([before, np.full(len(both) - len(before), -1, np.intp)])
            self.endInsertRows()
        self._reorder(snapshot, both)
        if len(gone):
            self.beginRemoveRows(NOWHERE, len(after), len(both) - 1)
            self._rows = after
            self.endRemoveRows()

    def _reorder(self, snapshot: BoardsSnapshot, after: NDArray[np.intp]) -> None:
        """Put the rows into another order; the indexes of a view follow their boards."""
        self.layoutAboutToBeChanged.emit()
        before = self._rows
        places = np.full(int(after.max(initial=-1)) + 1, -1, np.intp)
        places[after] = np.arange(len(after))
        self.snapshot, self._rows = snapshot, after
        for old in self.persistentIndexList():
            self.changePersistentIndex(
                old, self.index(int(places[before[old.row()]]), old.column())
            )
        self.layoutChanged.emit()

    def show_nothing(self) -> None:
        """Forget all boards, before those of another broker."""
        self.beginResetModel()
        self.snapshot, self._rows = None, _NO_ROWS
        self._cells.forget()
        self.endResetModel()

    def name_at(self, place: int) -> str:
        """Return the name of the board in a row; empty without one."""
        texts = self._texts(place)
        return texts.name if texts else ""

    def place_of(self, name: str) -> int:
        """Return the row of a board; -1 where it is not shown."""
        if self.snapshot is None:
            return -1
        texts = self.snapshot.texts
        found = (at for at, row in enumerate(self._rows.tolist()) if texts[row].name == name)
        return next(found, -1)

    def _texts(self, place: int) -> BoardTexts | None:
        if self.snapshot is None or not 0 <= place < len(self.snapshot.rows):
            return None
        return self.snapshot.texts[int(self.snapshot.rows[place])]

    # What a view asks

    def rowCount(self, parent: Index = NOWHERE) -> int:
        """Return the number of selected boards."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the text of a cell, its side, colour or tip."""
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if index.column() in NUMERIC else LEFT
        if role == Qt.ItemDataRole.ForegroundRole and index.column() == STATE:
            return self._theming.current.color(TONES[self._state(index.row())])
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(self.tip(index.row()))
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cells.give(index.row(), index.column())
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the title of a column, and its side."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if section in NUMERIC else LEFT
        return COLUMNS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def tip(self, place: int) -> str:
        """Return all texts of a board, a line each."""
        texts = self._texts(place)
        if texts is None:
            return ""
        lines = [
            texts.name,
            f"{STATES[self._state(place)]}: {', '.join(texts.alerts)}".rstrip(": "),
        ]
        lines += [f"{name}={value}" for name, value in (texts.labels or {}).items()]
        lines.append(f"{texts.model} {texts.version}, release {texts.release}")
        cells = (f"{COLUMNS[n]}: {self._cell(place, n)}" for n in (P50, P95, MEMORY, CELSIUS))
        lines.append(", ".join(cells))
        if abs(texts.clock_s) > _SKEW_S:
            lines.append(f"Its clock is off by {texts.clock_s:+,.0f} s.")
        return "\n".join(lines)

    def _state(self, place: int) -> int:
        found = self.snapshot.columns["state"] if self.snapshot else ()
        return int(found[place]) if place < len(found) else 0

    def _cell(self, place: int, column: int) -> str:
        texts = self._texts(place)
        if texts is None or self.snapshot is None:
            return ""
        if column in _OF_TEXTS:
            return _OF_TEXTS[column](texts)
        columns = self.snapshot.columns
        if column == STATE:
            return STATES[self._state(place)]
        if column == REQUESTS:
            return figures.whole(int(columns["requests"][place]))
        if column == FAILED:
            return share(int(columns["errors"][place]), int(columns["requests"][place]))
        if column == HEARD:
            return ago(self.snapshot.at - float(columns["heard"][place]))
        value = float(columns[_OF_COLUMNS[column]][place])
        if column in (P50, P95):
            return figures.milliseconds(value)
        return figures.NOTHING if math.isnan(value) else f"{value:,.0f}"


_OF_TEXTS: dict[int, Callable[[BoardTexts], str]] = {
    BOARD: lambda texts: texts.name,
    MODEL: lambda texts: f"{texts.model} v{texts.version}" if texts.version else texts.model,
    RELEASE: lambda texts: texts.release[:_DIGITS],
    ALERTS: lambda texts: ", ".join(texts.alerts),
}
_OF_COLUMNS = {P50: "p50", P95: "p95", MEMORY: "memory_mb", CELSIUS: "celsius"}


def share(part: int, of: int) -> str:
    """Return a share of requests in per cent: ``0.3 %``."""
    if not of:
        return figures.NOTHING
    return "0 %" if not part else f"{max(100 * part / of, 0.01):.2g} %"


def ago(seconds: float) -> str:
    """Return an age in one unit: ``12 s``, ``5 min``, ``3 h``, ``6 days``."""
    whole = max(int(seconds), 0)
    for unit, name in ((86_400, "days"), (3600, "h"), (60, "min")):
        if whole >= 2 * unit:
            return f"{whole // unit} {name}"
    return f"{whole} s"
