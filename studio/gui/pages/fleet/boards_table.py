"""The table of boards, whose selection and place stay when a snapshot comes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex

from studio.gui.pages.fleet.boards_model import BoardsModel
from studio.gui.pages.fleet.quiet_table import ROW, QuietTable
from studio.workspace.boards.view import BoardsSnapshot


class BoardsTable(QuietTable):
    """A view of the boards, worst first."""

    def __init__(
        self, boards: BoardsModel, widths: Sequence[int], spare: tuple[Sequence[int], int]
    ) -> None:
        super().__init__(boards, "Boards, worst first", widths, spare)
        self._boards = boards

    def show_snapshot(self, snapshot: BoardsSnapshot) -> None:
        """Show other boards; a selected one that is seen stays where it is on the screen."""
        bar, name = self.verticalScrollBar(), self.chosen
        top = self.rowViewportPosition(self.currentIndex().row()) if name else -1
        is_seen = 0 <= top < self.viewport().height()
        value = bar.value()
        self._boards.show_snapshot(snapshot)
        if name and self.chosen != name:  # Qt would select a neighbour of the one that is gone
            self.clearSelection()
            self.setCurrentIndex(QModelIndex())
            is_seen = False
        bar.setValue(self.currentIndex().row() * ROW - top if is_seen else value)

    @property
    def chosen(self) -> str:
        """Name of the selected board; empty without one."""
        index = self.currentIndex()
        return self._boards.name_at(index.row()) if index.isValid() else ""
