"""The variants of a model: a table, what each gives up for size or time, how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.gui.charts.chart import Chart
from studio.gui.pages.quantize import rows
from studio.gui.pages.quantize.baselines import Baseline, QuantizeRequest, baselines
from studio.gui.widgets.basics import (
    GRID,
    Card,
    FieldList,
    Pill,
    Scroll,
    Segmented,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.tables import Table

if TYPE_CHECKING:
    from studio.gui.theme import Theming
    from studio.workspace import VariantRecord

_HINT = "Quantize with labelled data to compare quality and cost."


class VariantsView(QWidget):
    """A table of the page's variants that signals which one is selected.

    Signals:
        selected: The number of the variant whose line was chosen.
        kept: The number of a variant that is to become the current one.
        compared: The number of a variant that is to be compared with its parent.
    """

    selected = Signal(int)
    kept = Signal(int)
    compared = Signal(int)

    def __init__(self, theming: Theming) -> None:
        super().__init__()
        self._variants: list[VariantRecord] = []
        self._asked: Mapping[int, QuantizeRequest] = {}
        self._current: int | None = None
        self.table = Table(rows.COLUMNS, rows.NUMERIC, stretch=0, name="Variants")
        self.axis = Segmented(("Size", "Latency"), "Cost")
        self.chart = Chart(theming, "Quality vs cost")
        self._chart_hint = label(_HINT, "dim", wrap=True)
        self.fields = FieldList()
        self.verdict = Pill("")
        self.sentence = label("", wrap=True)
        self.use = button("Use this variant", self.use_selected)
        self.compare = button("Compare with parent", self._compare)
        self._build()
        self.table.itemSelectionChanged.connect(self._show_selected)
        self.table.itemActivated.connect(lambda _item: self.use_selected())
        self.axis.changed.connect(lambda _index: self._show_chart())
        self.chart.picked.connect(self.select)

    def _build(self) -> None:
        made = Card("Variants")
        made.body.setContentsMargins(4, 2 * GRID - 2, 4, 4)
        made.heading.setContentsMargins(12, 0, 0, 0)
        made.body.addWidget(self.table)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(made)
        layout.addLayout(self._detail(), 1)

    def _detail(self) -> QHBoxLayout:
        chart = Card("Quality vs cost", "The line is the Pareto front.")
        chart.body.addLayout(row(self.axis, None))
        chart.body.addWidget(self._chart_hint)
        chart.body.addWidget(self.chart, 1)
        chart.body.addStretch()
        self._facts = facts = Card("Lineage")
        scroll = Scroll(margin=0)
        scroll.body.addWidget(self.fields)
        scroll.body.addStretch(1)
        facts.body.addWidget(scroll, 1)
        facts.body.addLayout(row(self.verdict, self.sentence))
        facts.body.addLayout(row(self.use, self.compare, None))
        layout = row(spacing=2 * GRID)
        layout.addWidget(chart, 1)
        layout.addWidget(facts, 1)
        return layout

    def show_variants(
        self,
        variants: Sequence[VariantRecord],
        current: int | None,
        asked: Mapping[int, QuantizeRequest],
        wanted: int | None,
    ) -> None:
        """Show the variants of a model.

        Args:
            current: The number of the current one.
            asked: The options of the run that made each.
            wanted: The one to select; without it, the one that was, or the current one.
        """
        kept = self.selected_id()
        self._variants, self._current, self._asked = list(variants), current, asked
        self.table.blockSignals(True)
        self.table.show_rows([self._cells(item) for item in self._variants])
        self.table.blockSignals(False)
        heading = self.table.horizontalHeaderItem(rows.METRIC)
        if heading is not None:
            heading.setText(rows.metric_heading(self._variants))
        self.table.fit_height(6)
        known = {variant.id for variant in self._variants}
        self.select(next((one for one in (wanted, kept, current) if one in known), None))

    def _cells(self, variant: VariantRecord) -> list[str | QWidget]:
        *texts, state = rows.table_row(variant, self._current, self._baselines(variant))
        return [*texts, Pill(state, "accent") if state else ""]

    def _baselines(self, variant: VariantRecord) -> list[Baseline]:
        return baselines(variant, self._variants, self._asked)

    def selected_id(self) -> int | None:
        """Return the number of the selected variant."""
        y = self.table.currentRow()
        return self._variants[y].id if 0 <= y < len(self._variants) else None

    def select(self, identifier: int | None) -> None:
        """Select a variant."""
        for y, variant in enumerate(self._variants):
            if variant.id == identifier:
                self.table.selectRow(y)
        self._show_selected()

    def _show_selected(self) -> None:
        identifier = self.selected_id()
        chosen = next((v for v in self._variants if v.id == identifier), None)
        self._show_chart()
        self._facts.setVisible(chosen is not None)
        if chosen is not None:
            self._show_facts(chosen)
            self.selected.emit(chosen.id)

    def _show_chart(self) -> None:
        by_latency = self.axis.index() == 1
        drawing = rows.tradeoff(self._variants, self.selected_id(), by_latency=by_latency)
        self.chart.setVisible(drawing is not None)
        self._chart_hint.setVisible(drawing is None)
        self.chart.show_drawing(drawing)

    def _show_facts(self, variant: VariantRecord) -> None:
        names = {item.id: item.name for item in self._variants}
        source = names.get(variant.parent, "") if variant.parent is not None else ""
        self._facts.heading.setText(variant.name)
        asked = self._asked.get(variant.id, QuantizeRequest())
        self.fields.show_fields(rows.fields(variant, source, asked, self._baselines(variant)))
        made_here = variant.step == rows.STEP
        self.verdict.setVisible(made_here)
        self.sentence.setVisible(made_here)
        if made_here:
            word, tone, sentence = rows.conclusion(variant, asked.max_drop)
            self.verdict.show_state(word, tone)
            self.sentence.setText(sentence)
        set_enabled(
            self.use, "This is already the current variant." if variant.id == self._current else ""
        )
        set_enabled(
            self.compare, "" if variant.parent is not None else "This variant has no parent."
        )

    def use_selected(self) -> None:
        """Make the selected variant the current one."""
        self._emit_selected(self.kept)

    def _compare(self) -> None:
        self._emit_selected(self.compared)

    def _emit_selected(self, signal: SignalInstance) -> None:
        identifier = self.selected_id()
        if identifier is not None:
            signal.emit(identifier)
