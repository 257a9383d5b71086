"""The result of a check: the verdict, its figures, remedies, and the refused nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from studio.gui.pages.model.chips.remedies import RemedyRows, remedies_of
from studio.gui.pages.model.chips.texts import VERDICTS, figure_fields, verdict_sentence
from studio.gui.widgets.basics import GRID, FieldList, Pill, Scroll, button, label, row
from studio.gui.widgets.sortable import SortableRow, SortableTable

if TYPE_CHECKING:
    from studio.conversion.chips.results import ChipResult, RefusedNode

COLUMNS = ("Operator", "Node", "Reason")
_WIDTHS, _NARROW_WIDTHS = (128, 144, 0), (88, 64, 0)
_NARROW = 48 * GRID
_MOST_ROWS = 8
_FROM_EXPORT = "The nodes are those of the exported {} model, so the graph does not show them."


class ChipAnswer(Scroll):
    """The result in a column that scrolls where the drawer is low.

    Signals:
        node_chosen: Name of the node whose row was selected.
    """

    node_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__(margin=0, spacing=GRID)
        self.verdict = Pill("")
        self.sentence = label("", wrap=True)
        self.paint = button("Show on the graph", kind="link")
        self.fields = FieldList()
        self.remedies = RemedyRows()
        self.table = SortableTable(COLUMNS, (), _WIDTHS, "Nodes that do not run on the chip")
        self.note = label("", "dim", wrap=True)
        self.warnings = label("", "dim", wrap=True)
        self.warnings.setAccessibleName("Warnings")
        self.body.setContentsMargins(0, 0, GRID, 0)
        self.body.addLayout(row(self.verdict, None, self.paint))
        self.body.addWidget(self.sentence)
        for item in (self.remedies, self.table, self.note, self.warnings, self.fields):
            self.body.addWidget(item)
        self.body.addStretch(1)
        self.table.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.table.chosen.connect(lambda key: self.node_chosen.emit(str(key)))

    def show_result(self, result: ChipResult, *, is_drawn: bool) -> None:
        """Show a result.

        Args:
            is_drawn: Whether its nodes are those of the graph.
        """
        self.verdict.show_state(*VERDICTS.get(result.verdict, (result.verdict, "")))
        self.sentence.setText(verdict_sentence(result))
        self.remedies.show_remedies(remedies_of(result))
        self.table.setVisible(bool(result.refused))
        self.table.show_rows(_line(one) for one in result.refused)
        self._fit(len(result.refused))
        has_note = bool(result.refused) and not is_drawn
        self.note.setText(_FROM_EXPORT.format(result.format))
        self.note.setVisible(has_note)
        self.warnings.setText("\n".join(f"Warning: {text}" for text in result.warnings))
        self.warnings.setVisible(bool(result.warnings))
        self.fields.show_fields(figure_fields(result))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the reason as much room as there is."""
        super().resizeEvent(event)
        widths = _NARROW_WIDTHS if event.size().width() < _NARROW else _WIDTHS
        for column, width in enumerate(widths[:-1]):
            self.table.horizontalHeader().resizeSection(column, width)

    def _fit(self, rows: int) -> None:
        """Give the table the height of its rows, within limits."""
        height = self.table.verticalHeader().defaultSectionSize()
        shown = min(rows, _MOST_ROWS)
        self.table.setFixedHeight(height * (shown + 1) + GRID)


def _line(node: RefusedNode) -> SortableRow:
    texts = (node.operator, node.node, node.reason)
    return SortableRow(node.node, texts, texts)
