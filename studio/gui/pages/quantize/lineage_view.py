"""How a variant was made: its parent, preset, data, figures, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.gui.widgets.basics import GRID, Card, FieldList, Scroll, button, row, set_enabled

if TYPE_CHECKING:
    from studio.workspace import VariantRecord


class LineageView(QWidget):
    """The facts about the selected variant.

    Signals:
        kept: The number of a variant that is to become the current one.
        compared: The number of a variant that is to be compared with its parent.
    """

    kept = Signal(int)
    compared = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._variant: VariantRecord | None = None
        self.fields = FieldList(name_width=18 * GRID)
        self.use = button("Make current", self.use_shown)
        self.compare = button("Compare with parent", self._compare)
        self.card = Card("Lineage")
        scroll = Scroll(margin=0)
        scroll.body.addWidget(self.fields)
        scroll.body.addStretch(1)
        self.card.body.addWidget(scroll, 1)
        self.card.body.addLayout(row(self.use, self.compare, None))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.addWidget(self.card)
        self.show_variant(None, (), None)

    def show_variant(
        self,
        variant: VariantRecord | None,
        fields: Sequence[Sequence[str]],
        current: int | None,
    ) -> None:
        """Show another variant.

        Args:
            current: The number of the current one.
        """
        self._variant = variant
        self.card.heading.setText(variant.name if variant is not None else "No variant")
        self.fields.show_fields(fields)
        none = "Select a variant first." if variant is None else ""
        is_current = variant is not None and variant.id == current
        set_enabled(self.use, none or ("This variant is already current." if is_current else ""))
        orphan = variant is not None and variant.parent is None
        set_enabled(self.compare, none or ("This variant has no parent." if orphan else ""))

    def use_shown(self) -> None:
        """Make the variant the current one."""
        if self._variant is not None and self.use.isEnabled():
            self.kept.emit(self._variant.id)

    def _compare(self) -> None:
        if self._variant is not None:
            self.compared.emit(self._variant.id)
