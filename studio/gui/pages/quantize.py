"""The Quantize page: a recipe at the left, what it made at the right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from studio.api import Kind, Option
from studio.gui import figures
from studio.gui.actions import explain
from studio.gui.charts.chart import Chart
from studio.gui.forms import Form
from studio.gui.pages import quantize_rows as rows
from studio.gui.pages.base import Shell
from studio.gui.pages.parts import StagePage, needs_model
from studio.gui.tables import Table
from studio.gui.widgets import GRID, Card, FieldList, Pill, Scroll, button, label, row, set_enabled

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace

STEP = rows.STEP
FORM_WIDTH = 42 * GRID


class QuantizePage(StagePage):
    """Makes smaller variants of the current model and says what each one costs."""

    stage = STEP
    title = "Quantize"
    icon = STEP

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._variants: list[VariantRecord] = []
        self._awaited = False
        self.form = Form(self._options(), columns=2)
        self.table = Table(rows.COLUMNS, rows.NUMERIC, stretch=0, name="Variants")
        self.chart = Chart(shell.theming, "Quality against size")
        self._chart_hint = label(
            "Quantize with labelled data to see here what each variant gives up for its size.",
            "dim",
            wrap=True,
        )
        self.fields = FieldList()
        self.verdict = Pill("")
        self.sentence = label("", wrap=True)
        self.use = button("Make it the current variant", self._use)
        self._pane = needs_model(self._content(), "quantize", shell.go)
        self.add_view("Quantize", self._pane)
        self.set_primary("Quantize", self.run)
        self._command = self.add_command("Quantize the current variant", self.run)
        self.form.submitted.connect(self.run)
        self.strip.finished.connect(self._finished)
        self.table.itemSelectionChanged.connect(self._show_selected)
        self.table.itemActivated.connect(lambda _item: self._use())

    def _options(self) -> tuple[Option, ...]:
        """The step's options; the model is the current variant, and the output is kept."""
        options = self.workspace.steps[STEP].options
        return tuple(o for o in options if o.kind not in (Kind.MODEL, Kind.OUTPUT))

    def _content(self) -> QWidget:
        content = QWidget()
        layout = QHBoxLayout(content)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(self._recipe())
        right = QVBoxLayout()
        right.setSpacing(2 * GRID)
        right.addWidget(self.strip)
        right.addWidget(self._made())
        right.addLayout(self._detail(), 1)
        layout.addLayout(right, 1)
        return content

    def _recipe(self) -> Card:
        card = Card("Recipe")
        card.setFixedWidth(FORM_WIDTH)
        scroll = Scroll(margin=0)
        scroll.body.setContentsMargins(0, 0, GRID, 0)
        scroll.body.addWidget(self.form)
        scroll.body.addStretch(1)
        card.body.addWidget(scroll, 1)
        return card

    def _made(self) -> Card:
        card = Card("Variants")
        card.body.setContentsMargins(4, 2 * GRID - 2, 4, 4)
        card.heading.setContentsMargins(12, 0, 0, 0)
        card.body.addWidget(self.table)
        return card

    def _detail(self) -> QHBoxLayout:
        chart = Card("Quality against size", "The line joins the variants worth choosing.")
        chart.body.addWidget(self._chart_hint)
        chart.body.addWidget(self.chart, 1)
        chart.body.addStretch()
        facts = Card("How it was made")
        facts.body.addWidget(self.fields)
        facts.body.addLayout(row(self.verdict, self.sentence))
        facts.body.addStretch(1)
        facts.body.addLayout(row(self.use, None))
        self._facts = facts
        layout = row(spacing=2 * GRID)
        layout.addWidget(chart, 1)
        layout.addWidget(facts, 1)
        return layout

    def run(self) -> None:
        """Start the quantization with the values of the form."""
        if self.variant is None or self.strip.running or not self.form.check():
            return
        options = {**self.form.values(), self._model_option(): f"#{self.variant.id}"}
        self.strip.follow(self.shell.start(STEP, **options))
        self._explain()

    def _model_option(self) -> str:
        options = self.workspace.steps[STEP].options
        return next(option.name for option in options if option.kind is Kind.MODEL)

    def _finished(self, outcome: object) -> None:
        self._awaited = True
        self.refresh_soon()

    def refresh(self) -> None:
        """Show the variants of the current model."""
        variant = self.variant
        self._pane.show_content(variant is not None)
        selected = self._selected_id()
        self._variants = self.workspace.registry.variants(variant.model) if variant else []
        current = variant.id if variant else None
        self.table.blockSignals(True)
        self.table.show_rows([self._cells(item, current) for item in self._variants])
        self.table.blockSignals(False)
        heading = self.table.horizontalHeaderItem(rows.METRIC)
        if heading is not None:
            heading.setText(rows.metric_heading(self._variants))
        self.table.fit_height(8)
        if self._awaited and self._variants:
            selected, self._awaited = self._variants[-1].id, False
        self._select(selected if selected is not None else current)
        self.set_note(figures.count(len(self._variants), "variant") if variant else "")
        self._explain()

    @staticmethod
    def _cells(variant: VariantRecord, current: int | None) -> list[str | QWidget]:
        *texts, state = rows.table_row(variant, current)
        return [*texts, Pill(state, "accent") if state else ""]

    def _explain(self) -> None:
        """Say on the primary button why it cannot be pressed."""
        if self.primary is None:
            return
        reason = ""
        if self.variant is None:
            reason = "Open a model first."
        elif self.strip.running:
            reason = "A quantization is running; cancel it to start another one."
        else:
            reason = self.workspace.why_not(STEP, self.variant)
        set_enabled(self.primary, reason)
        explain(self._command, reason)

    def _selected_id(self) -> int | None:
        y = self.table.currentRow()
        return self._variants[y].id if 0 <= y < len(self._variants) else None

    def _select(self, identifier: int | None) -> None:
        for y, variant in enumerate(self._variants):
            if variant.id == identifier:
                self.table.selectRow(y)
        self._show_selected()

    def _show_selected(self) -> None:
        identifier = self._selected_id()
        chosen = next((v for v in self._variants if v.id == identifier), None)
        drawing = rows.tradeoff(self._variants, identifier)
        self.chart.setVisible(drawing is not None)
        self._chart_hint.setVisible(drawing is None)
        self.chart.show_drawing(drawing)
        self._facts.setVisible(chosen is not None)
        if chosen is not None:
            self._show_facts(chosen)

    def _show_facts(self, variant: VariantRecord) -> None:
        names = {item.id: item.name for item in self._variants}
        source = names.get(variant.parent, "") if variant.parent is not None else ""
        self._facts.heading.setText(variant.name)
        asked = self._asked(variant)
        self.fields.show_fields(rows.fields(variant, source, asked))
        made_here = variant.step == STEP
        self.verdict.setVisible(made_here)
        self.sentence.setVisible(made_here)
        if made_here:
            limit = figures.number(asked.get("max_drop"))
            word, tone, sentence = rows.conclusion(variant, limit)
            self.verdict.show_state(word, tone)
            self.sentence.setText(sentence)
        current = self.variant is not None and variant.id == self.variant.id
        set_enabled(self.use, "It is the current variant." if current else "")

    def _asked(self, variant: VariantRecord) -> Mapping[str, Any]:
        """The options of the run that made a variant."""
        runs = self.workspace.registry.runs(STEP, variant.id)
        return runs[0].options if runs else {}

    def _use(self) -> None:
        identifier = self._selected_id()
        if identifier is not None:
            self.shell.select(identifier)
