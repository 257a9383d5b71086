"""A table view of whole rows whose columns share its width."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

ROW = 28


class QuietTable(QTableView):
    """A table without a grid; nothing in it is measured, however many rows it has.

    Args:
        widths: Pixels of each column; 0 for those that share the room that is left.
        spare: Columns that are left out of a narrow view, and its width.
    """

    def __init__(
        self,
        model: QAbstractTableModel,
        name: str,
        widths: Sequence[int],
        spare: tuple[Sequence[int], int] = ((), 0),
    ) -> None:
        super().__init__()
        self._widths, self._spare = tuple(widths), spare
        self.setModel(model)
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setMinimumSectionSize(ROW)
        rows.setDefaultSectionSize(ROW)
        columns.setHighlightSections(False)
        columns.setSectionsClickable(False)
        columns.setMinimumSectionSize(24)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width among the columns."""
        super().resizeEvent(event)
        width = self.viewport().width()
        left_out, least = self._spare
        for column in left_out:
            self.setColumnHidden(column, width < least)
        shown = [n for n in range(len(self._widths)) if not self.isColumnHidden(n)]
        wide = [n for n in shown if not self._widths[n]]
        room = width - sum(self._widths[n] for n in shown)
        for n in shown:
            self.setColumnWidth(n, self._widths[n] or max(room // max(len(wide), 1), 108))
