"""Tables with aligned figures, and the card that holds one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QPoint, QSize, Qt
from PySide6.QtGui import QHelpEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QToolTip,
    QWidget,
)

from studio.api.qt import plain_tip
from studio.gui.widgets.basics import GRID, ROW_HEIGHT, TEXT_MARGIN, Card, Pill, row


class TableCard(Card):
    """A card of tables, whose text lines up with the heading."""

    INDENT = 11
    """Pixels by which a table's cells indent their text."""

    def __init__(self, title: str, *tables: QWidget, note: str = "") -> None:
        super().__init__(title, note)
        side = 2 * GRID - self.INDENT
        self.body.setContentsMargins(side, 2 * GRID - 2, side, side)
        for item in (self.heading, self.note):
            item.setContentsMargins(self.INDENT, 0, self.INDENT, 0)
        for table in tables:
            self.body.addWidget(table)
        self.body.addStretch(1)


def framed(table: QWidget) -> Card:
    """Return a table in the frame that other groups of a page have."""
    card = Card()
    card.body.setContentsMargins(4, 4, 4, 4)
    card.body.addWidget(table)
    return card


LEAST_STRETCHED = 112
"""Pixels of a column of long texts, however little room there is."""


class Table(QTableWidget):
    """A quiet table: no grid, whole rows selected, numbers to the right.

    Args:
        columns: Headings.
        numeric: Indices of the columns that hold numbers.
        stretch: The columns that share the room that is left; -1 for none. Where it is too
            little for their texts, the table is scrolled.
    """

    _most = 0
    _shown: Sequence[Sequence[str | QWidget]] = ()

    def __init__(
        self,
        columns: Sequence[str],
        numeric: Iterable[int] = (),
        stretch: int | Iterable[int] = 0,
        name: str = "",
    ) -> None:
        super().__init__(0, len(columns))
        self._numeric = frozenset(numeric)
        self.setAccessibleName(name or "Table")
        self.setHorizontalHeaderLabels(list(columns))
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)  # a row is one line; what is cut shall be cut where it is said
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        columns_of = (stretch,) if isinstance(stretch, int) else tuple(stretch)
        self._stretch = tuple(column for column in columns_of if column >= 0)
        for column in self._stretch:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        for column in range(len(columns)):
            item = self.horizontalHeaderItem(column)
            if item is not None:
                item.setTextAlignment(self._alignment(column))

    def show_rows(self, rows: Iterable[Sequence[str | QWidget]]) -> None:
        """Replace all rows, unless they are the same; a cell is a text or a widget (a Pill)."""
        before, rows = self._shown, [list(cells) for cells in rows]
        self._shown = rows
        if _same(before, rows):
            self._shown = before
            return
        with self._fixed_columns():
            self.clearContents()
            self.setRowCount(len(rows))
            for y, cells in enumerate(rows):
                for x, cell in enumerate(cells):
                    self._set_cell(y, x, cell)

    @contextmanager
    def _fixed_columns(self) -> Iterator[None]:
        """Fix the column widths while cells are added, as each would measure its column."""
        header = self.horizontalHeader()
        modes = [header.sectionResizeMode(x) for x in range(self.columnCount())]
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        try:
            yield
        finally:
            for x, mode in enumerate(modes):
                header.setSectionResizeMode(x, mode)
            self._fit_stretch()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the columns that stretch what their texts need, also where there is less."""
        super().resizeEvent(event)
        self._fit_stretch()
        if self._most:
            self.fit_height(self._most)

    def _fit_stretch(self) -> None:
        header = self.horizontalHeader()
        contents = QHeaderView.ResizeMode.ResizeToContents
        room = self.viewport().width()
        for x in set(range(self.columnCount())) - set(self._stretch):
            if not self.isColumnHidden(x):  # the header itself measures later
                is_measured = header.sectionResizeMode(x) == contents
                room -= self._needs(x) if is_measured else header.sectionSize(x)
        stretched = [x for x in self._stretch if not self.isColumnHidden(x)]
        needs = {x: self._needs(x) for x in stretched}
        least = {x: min(need, LEAST_STRETCHED) for x, need in needs.items()}
        if room < sum(least.values()):
            widths = least
        elif all(need * len(needs) <= room for need in needs.values()):
            widths = {}
        else:
            widths = _shares(needs, room)
        for column in stretched:
            if column in widths:
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
                header.resizeSection(column, widths[column])
            else:
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)

    def fit_columns(self) -> None:
        """Divide the width again, after a column was hidden or shown."""
        self._fit_stretch()

    def needed_width(self) -> int:
        """Return the width at which no text of a visible column is cut."""
        shown = (x for x in range(self.columnCount()) if not self.isColumnHidden(x))
        return sum(self._needs(column) for column in shown)

    def _needs(self, column: int) -> int:
        return max(self.sizeHintForColumn(column), self.horizontalHeader().sectionSizeHint(column))

    def fit_height(self, most: int = 12) -> None:
        """Fix the height to the rows that there are, or to ``most`` of them."""
        self._most = most
        header = self.horizontalHeader()
        shown = min(self.rowCount(), most)
        scrolls = header.length() > self.viewport().width()
        bar = self.horizontalScrollBar().sizeHint().height() if scrolls else 0
        self.setFixedHeight(header.sizeHint().height() + shown * ROW_HEIGHT + bar + 2)

    def changeEvent(self, event: QEvent) -> None:
        """Measure again in another style: a table may be filled before it is dressed."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            for y in range(self.rowCount()):
                for x in range(self.columnCount()):
                    self._measure(y, x)
            if self._most:
                self.fit_height(self._most)

    def viewportEvent(self, event: QEvent) -> bool:
        """Show the whole text of a cell that is too narrow for it where the pointer rests."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            own = self.indexAt(event.pos()).data(Qt.ItemDataRole.ToolTipRole)
            QToolTip.showText(event.globalPos(), plain_tip(own or self.cut_text(event.pos())), self)
            return True
        return super().viewportEvent(event)

    def cut_text(self, place: QPoint) -> str:
        """Return the text of the cell at a point of the viewport if it is cut off; else empty."""
        index = self.indexAt(place)
        fits = self.sizeHintForIndex(index).width() <= self.visualRect(index).width()
        return "" if fits else str(index.data() or "")

    def _measure(self, y: int, x: int) -> None:
        """Give a cell the width that the widget in it needs."""
        holder, item = self.cellWidget(y, x), self.item(y, x)
        layout = holder.layout() if holder is not None else None
        if layout is not None and item is not None:
            # The style takes the padding of a cell off the widget in it.
            item.setSizeHint(QSize(layout.sizeHint().width() + 2 * GRID, ROW_HEIGHT))

    def _set_cell(self, y: int, x: int, cell: str | QWidget) -> None:
        item = QTableWidgetItem(cell if isinstance(cell, str) else "")
        item.setTextAlignment(self._alignment(x))
        self.setItem(y, x, item)
        if isinstance(cell, QWidget):
            holder = QWidget()
            content = row(cell, None)
            content.setContentsMargins(TEXT_MARGIN, 0, 0, 0)
            holder.setLayout(content)
            self.setCellWidget(y, x, holder)
            self._measure(y, x)

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        side = (
            Qt.AlignmentFlag.AlignRight if column in self._numeric else Qt.AlignmentFlag.AlignLeft
        )
        return side | Qt.AlignmentFlag.AlignVCenter


def _shares(needs: Mapping[int, int], room: int) -> dict[int, int]:
    """Divide the room by needs; where it is too little, none has more than an equal part."""
    spare = room - sum(needs.values())
    if spare >= 0:
        return {column: need + spare // len(needs) for column, need in needs.items()}
    widths: dict[int, int] = {}
    for number, column in enumerate(sorted(needs, key=lambda one: needs[one])):
        part = room // (len(needs) - number)
        is_last = number == len(needs) - 1
        widths[column] = part if is_last else min(needs[column], part)
        room -= widths[column]
    return widths


def _same(
    before: Sequence[Sequence[str | QWidget]], rows: Sequence[Sequence[str | QWidget]]
) -> bool:
    """Return whether rows look alike; of widgets only pills are known to."""
    cells, others = ([cell for row in table for cell in row] for table in (before, rows))
    return [len(cells) for cells in before] == [len(cells) for cells in rows] and all(
        _alike(cell, other) for cell, other in zip(cells, others, strict=True)
    )


def _alike(cell: str | QWidget, other: str | QWidget) -> bool:
    if isinstance(cell, Pill) and isinstance(other, Pill):
        return cell.state == other.state
    return isinstance(cell, str) and cell == other
