"""A table of many rows that is sorted by a click on a heading."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from studio.gui.widgets.basics import ROW_HEIGHT
from studio.lazy_dataclass import dataclass

_Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
"""Made once: Qt asks for the side of each cell at each look."""

_HEAD_PADDING = 24
"""Pixels around the text of a heading."""

_MEASURED_ROWS = 50
"""Lines whose texts say how wide a column has to be."""


@dataclass(frozen=True, slots=True)
class SortableRow:
    """A line of the table.

    Attributes:
        key: What the line is about.
        texts: A cell each.
        values: What each cell is sorted by; a number that is None comes last.
    """

    key: Hashable
    texts: tuple[str, ...]
    values: tuple[Any, ...]


class Rows(QAbstractTableModel):
    """The lines behind a table; no widget is made for any of them."""

    def __init__(self, columns: Sequence[str], numeric: frozenset[int]) -> None:
        super().__init__()
        self.rows: list[SortableRow] = []
        self.places: dict[Hashable, int] = {}
        self._columns = columns
        self._numeric = numeric

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Return how many lines there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Return how many cells a line has."""
        return 0 if parent.isValid() else len(self._columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text of a cell, and on which side it stands."""
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self.rows[index.row()].texts[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._side(index.column())
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return a heading."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._columns[section]
        return self._side(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Put the lines in the order of a column; equal ones stay as they are."""
        falling = order is Qt.SortOrder.DescendingOrder
        known = [row for row in self.rows if row.values[column] is not None]
        unknown = [row for row in self.rows if row.values[column] is None]
        known.sort(key=lambda row: row.values[column], reverse=falling)
        # Rows without a value stay last in both orders.
        self.replace_rows([*known, *unknown])

    def replace_rows(self, rows: Iterable[SortableRow]) -> None:
        """Replace all lines."""
        self.beginResetModel()
        self.rows = list(rows)
        self.places = {row.key: place for place, row in enumerate(self.rows)}
        self.endResetModel()

    def _side(self, column: int) -> Qt.AlignmentFlag:
        return _RIGHT if column in self._numeric else _LEFT


class SortableTable(QTableView):
    """Whole lines are selected; the first click on a heading of numbers puts the largest first.

    Args:
        numeric: Columns that hold numbers.
        widths: Pixels of each column; 0 for the one that takes the room that is left. Where the
            texts of one are cut, the others give what they do not need themselves.

    Signals:
        chosen: The key of the line that the user selected.
    """

    chosen = Signal(object)

    def __init__(
        self, columns: Sequence[str], numeric: Iterable[int], widths: Sequence[int], name: str
    ) -> None:
        super().__init__()
        self._numeric = frozenset(numeric)
        self.content = Rows(columns, self._numeric)
        self.setModel(self.content)
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT - 4)
        self._sorted: tuple[int, Qt.SortOrder] | None = None
        self._is_silent = False
        self._widths = tuple(widths)
        self._fitted = dict(enumerate(widths))
        self._needs: dict[int, int] = {}
        self._set_header(widths)
        self.selectionModel().currentRowChanged.connect(self._changed)

    def _set_header(self, widths: Sequence[int]) -> None:
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.sectionClicked.connect(self.sort_by)
        header.setResizeContentsPrecision(_MEASURED_ROWS)
        for column, width in enumerate(widths):
            if width:
                header.resizeSection(column, width)
            else:
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)

    def show_rows(self, rows: Iterable[SortableRow]) -> None:
        """Replace all lines; the order that the user chose stays."""
        kept = self.selected()
        self._needs.clear()
        self.content.replace_rows(rows)
        if self._sorted is not None:
            self.content.sort(*self._sorted)
        self.select(kept)
        self._fit()

    def hide_empty(self, column: int) -> None:
        """Hide a column in which no line has a text."""
        self.setColumnHidden(column, not any(row.texts[column] for row in self.content.rows))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Divide the width again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Divide the width; a column that the user has resized stays as it is."""
        header = self.horizontalHeader()
        shown = [column for column in range(len(self._widths)) if not self.isColumnHidden(column)]
        heads = {column: self._head_width(column) for column in shown}
        needs = {column: max(self._need(column), heads[column]) for column in shown}
        widths = {column: header.sectionSize(column) for column in shown if self._widths[column]}
        own = [column for column in widths if widths[column] == self._fitted[column]]
        for column in own:
            widths[column] = max(self._widths[column], heads[column])
        lacking = sum(widths.values()) - self.viewport().width()
        lacking += sum(needs[column] for column in shown if not self._widths[column])
        for column in sorted(own, key=lambda one: widths[one] - needs[one], reverse=True):
            spare = widths[column] - needs[column]  # below 0 where its own texts are cut
            change = max(min(spare, lacking), 0) or min(max(spare, lacking), 0)
            lacking -= change
            header.resizeSection(column, widths[column] - change)
            self._fitted[column] = header.sectionSize(column)

    def _need(self, column: int) -> int:
        """Return the width of the texts of a column, measured once for the same lines."""
        if column not in self._needs:
            self._needs[column] = self.sizeHintForColumn(column)
        return self._needs[column]

    def changeEvent(self, event: QEvent) -> None:
        """Measure again in another style or font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._needs.clear()

    def _head_width(self, column: int) -> int:
        """Return the width of a heading; Qt's own hint has room for an arrow in every column."""
        heading = str(self.content.headerData(column, Qt.Orientation.Horizontal))
        return self.horizontalHeader().fontMetrics().horizontalAdvance(heading) + _HEAD_PADDING

    def sort_by(self, column: int) -> None:
        """Sort by a column; the other way round when it is the one already."""
        falling, rising = Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder
        first, second = (falling, rising) if column in self._numeric else (rising, falling)
        order = second if self._sorted == (column, first) else first
        self._sorted = (column, order)
        self.horizontalHeader().setSortIndicator(column, order)
        kept = self.selected()
        self.content.sort(column, order)
        self.select(kept)

    def selected(self) -> Hashable | None:
        """Return the key of the selected line."""
        place = self.currentIndex().row()
        return self.content.rows[place].key if 0 <= place < len(self.content.rows) else None

    def select(self, key: Hashable | None) -> None:
        """Select the line of a key, or none, without a signal."""
        place = self.content.places.get(key)
        model = self.selectionModel()
        # A selection by code must not count as a click of the user.
        self._is_silent = True
        if place is None:
            model.clear()
        else:
            self.selectRow(place)
            self.scrollTo(self.content.index(place, 0))
        self._is_silent = False

    def _changed(self, current: QModelIndex) -> None:
        if current.isValid() and not self._is_silent:
            self.chosen.emit(self.content.rows[current.row()].key)
