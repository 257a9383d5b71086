"""Completion of names in a line that may hold several of them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QStringListModel, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView

from studio.gui.theme import worn_by


class NamesCompleter(QCompleter):
    """The completion of the last of comma-separated names.

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
        self.setPopup(_Popup(line))
        line.setCompleter(self)

    def splitPath(self, path: str) -> list[str]:
        """Return the text to complete: the part after the last comma."""
        return [path.rpartition(",")[2].strip()]

    def pathFromIndex(self, index: QModelIndex | QPersistentModelIndex) -> str:
        """Return the whole line with the completed name."""
        before, comma, _ = self._line.text().rpartition(",")
        return f"{before}{comma}{' ' if comma else ''}{super().pathFromIndex(index)}"


class _Popup(QListView):
    """The names, dressed like the line although they are a window of their own."""

    def __init__(self, line: QLineEdit) -> None:
        super().__init__()
        self._line = line
        self.setUniformItemSizes(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)

    def showEvent(self, event: QShowEvent) -> None:
        """Apply the current theme."""
        self.setStyleSheet(worn_by(self._line))
        super().showEvent(event)
