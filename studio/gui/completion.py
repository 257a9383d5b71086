"""Completion of names in a line that may hold several of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QStringListModel, Qt
from PySide6.QtWidgets import QCompleter, QLineEdit


class NamesCompleter(QCompleter):
    """Completes the last of comma-separated names.

    Args:
        names: Sorted, so that 50,000 cost nothing.
    """

    def __init__(self, line: QLineEdit, names: Sequence[str]) -> None:
        super().__init__(line)
        self._line = line
        self.setModel(QStringListModel(names, self))
        self.setModelSorting(QCompleter.ModelSorting.CaseSensitivelySortedModel)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseSensitive)
        self.setMaxVisibleItems(10)
        line.setCompleter(self)

    def splitPath(self, path: str) -> list[str]:
        """What is to be completed: what follows the last comma."""
        return [path.rpartition(",")[2].strip()]

    def pathFromIndex(self, index: QModelIndex | QPersistentModelIndex) -> str:
        """The whole line with the completed name."""
        before, comma, _ = self._line.text().rpartition(",")
        return f"{before}{comma}{' ' if comma else ''}{super().pathFromIndex(index)}"
