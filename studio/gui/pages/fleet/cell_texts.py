"""Texts of a table model's cells, so that only changed cells are painted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractTableModel

_MOST = 2000


class CellTexts:
    """The texts that a view was given, compared with those of newer figures.

    A style sheet makes the paint of a cell slow. Each second brings new figures for all boards,
    and of the cells that are seen only a few have another text then.

    Args:
        model: The model of the cells.
        text: Returns the current text of a row and a column.
    """

    def __init__(self, model: QAbstractTableModel, text: Callable[[int, int], str]) -> None:
        self._model, self._text = model, text
        self._given: dict[tuple[int, int], str] = {}

    def give(self, row: int, column: int) -> str:
        """Return the text of a cell, which a view will show."""
        found = self._given[row, column] = self._text(row, column)
        return found

    def forget(self) -> None:
        """Forget all cells: their rows are others, and views ask for them."""
        self._given.clear()

    def send_changes(self) -> None:
        """Emit ``dataChanged`` for cells with another text; for all of them after long scrolls."""
        if len(self._given) > _MOST:
            self.forget()
            last = self._model.index(self._model.rowCount() - 1, self._model.columnCount() - 1)
            self._model.dataChanged.emit(self._model.index(0, 0), last)
            return
        for (row, column), before in list(self._given.items()):
            if self._text(row, column) != before:
                del self._given[row, column]
                cell = self._model.index(row, column)
                self._model.dataChanged.emit(cell, cell)
