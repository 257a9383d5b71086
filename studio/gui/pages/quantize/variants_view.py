"""The results of the Optimize page: a table of variants, the verdict in words, and a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from studio.gui.charts.chart import Chart
from studio.gui.pages.quantize import rows
from studio.gui.pages.quantize.baselines import Baseline, QuantizeRequest, baselines
from studio.gui.pages.quantize.regressed_samples import RegressedSamples
from studio.gui.pages.quantize.run_state import DONE, EMPTY, RUNNING, RunState
from studio.gui.pages.shared.quality import measured
from studio.gui.widgets.basics import GRID, Card, Pill, Segmented, label, line, row
from studio.gui.widgets.tables import Table
from studio.quantization.results import figures_of

if TYPE_CHECKING:
    from studio.gui.pages.shared.stage_page import JobStrip
    from studio.gui.theme import Theming
    from studio.workspace import JobOutcome, VariantRecord

_HINT = "Variants appear here once two of them are evaluated on labelled data."
_LEAST_CHART = 26 * GRID
_MOST_ROWS = 6


class _Failure(NamedTuple):
    """A failed job, and the newest variant then: one that is made since ends the failure."""

    outcome: JobOutcome
    newest: int


class VariantsView(QWidget):
    """A table of the model's variants that signals which one is selected.

    Signals:
        selected: The number of the variant whose line was chosen.
        activated: The number of a variant that is to become the current one.

    Args:
        strip: The progress of the page's job, shown in the place of the verdict.
    """

    selected = Signal(int)
    activated = Signal(int)

    def __init__(self, theming: Theming, strip: JobStrip) -> None:
        super().__init__()
        self._variants: list[VariantRecord] = []
        self._asked: Mapping[int, QuantizeRequest] = {}
        self._current: int | None = None
        self._failures: dict[int | None, _Failure] = {}
        self._running: int | None = None
        self._newest_before = 0
        self.table = Table(rows.COLUMNS, rows.NUMERIC, stretch=0, name="Variants")
        self.axis = Segmented(("Size", "Latency"), "Cost")
        self.chart = Chart(theming, "Quality vs cost")
        self._chart_hint = label(_HINT, "dim", wrap=True)
        self.verdict = Pill("")
        self.name = label("", "strong")
        self.sentence = label("", wrap=True)
        self.more = label("", "dim", wrap=True)
        self.advice = label("", tone="warning", wrap=True)
        self.regressed = RegressedSamples(theming)
        self.state = RunState(strip, self._verdict())
        self._build()
        self.table.itemSelectionChanged.connect(self._show_selected)
        self.table.itemActivated.connect(lambda _item: self._activate())
        self.axis.changed.connect(lambda _index: self._show_chart())
        self.chart.picked.connect(self.select)

    def _verdict(self) -> QWidget:
        pane = QWidget()
        layout = QVBoxLayout(pane)
        layout.setContentsMargins(12, GRID, 12, GRID)
        layout.setSpacing(4)
        layout.addLayout(row(self.verdict, self.name, None))
        for item in (self.sentence, self.more, self.advice):
            layout.addWidget(item)
        layout.addSpacing(4)
        layout.addWidget(line())
        layout.addSpacing(4)
        layout.addWidget(self.regressed)
        layout.addStretch(1)
        return pane

    def _build(self) -> None:
        made = Card("Results")
        made.body.setContentsMargins(4, 2 * GRID - 2, 4, 4)
        made.heading.setContentsMargins(12, 0, 0, 0)
        made.body.addWidget(self.table)
        made.body.addWidget(self.state, 1)
        chart = Card()
        front = label("Line: Pareto front", "dim")
        chart.body.addLayout(row(label("Quality vs cost", "section"), front, None, self.axis))
        chart.body.addWidget(self._chart_hint)
        chart.body.addWidget(self.chart, 1)
        chart.body.addStretch()
        self.chart.setMinimumHeight(_LEAST_CHART)
        self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._columns.setContentsMargins(0, 0, 0, 0)
        self._columns.setSpacing(12)
        self._columns.addWidget(made, 5)
        self._columns.addWidget(chart, 3)

    def set_narrow(self, narrow: bool) -> None:
        """Put the chart below the table, or at its right."""
        ways = QBoxLayout.Direction
        self._columns.setDirection(ways.TopToBottom if narrow else ways.LeftToRight)

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
        self.table.fit_height(_MOST_ROWS)
        known = {variant.id for variant in self._variants}
        self.select(next((one for one in (wanted, kept, current) if one in known), None))

    def _cells(self, variant: VariantRecord) -> list[str | QWidget]:
        texts = rows.table_row(variant, self._current, self.baselines(variant))
        word, tone, _ = rows.conclusion(variant, self.request(variant.id).max_drop)
        return [*texts, Pill(word, tone)]

    def baselines(self, variant: VariantRecord) -> list[Baseline]:
        """Return what was measured of a variant when others were made from it."""
        return baselines(variant, self._variants, self._asked)

    def request(self, identifier: int) -> QuantizeRequest:
        """Return the options of the run that made a variant."""
        return self._asked.get(identifier, QuantizeRequest())

    def selected_id(self) -> int | None:
        """Return the number of the selected variant."""
        y = self.table.currentRow()
        return self._variants[y].id if 0 <= y < len(self._variants) else None

    def chosen(self) -> VariantRecord | None:
        """Return the selected variant."""
        identifier = self.selected_id()
        return next((one for one in self._variants if one.id == identifier), None)

    def select(self, identifier: int | None) -> None:
        """Select a variant."""
        with QSignalBlocker(self.table):  # what is selected is shown once
            for y, variant in enumerate(self._variants):
                if variant.id == identifier:
                    self.table.selectRow(y)
        self._show_selected()

    # The state below the table

    @property
    def _newest(self) -> int:
        """The newest variant that is shown; 0 without one."""
        return max((variant.id for variant in self._variants), default=0)

    @property
    def _model(self) -> int | None:
        """The model whose variants are shown."""
        return self._variants[0].model if self._variants else None

    def show_running(self) -> None:
        """Show the progress until the job ends."""
        self._running, self._newest_before = self._model, self._newest
        self._failures.pop(self._model, None)
        self.state.stages.begin()
        self.state.show_state(RUNNING)

    def show_end(self, outcome: JobOutcome) -> None:
        """Show the end of a job: its failure stays with its model until the next job."""
        self.state.stages.end()
        model, self._running = self._running, None
        if not outcome.ok and outcome.end.value != "cancelled":
            self._failures[model] = _Failure(outcome, self._newest_before)
        self._show_state()

    def _show_state(self) -> None:
        failure = self._failures.get(self._model)
        if failure is not None and self._newest == failure.newest:
            self.state.show_failure(failure.outcome)
        else:
            self.state.show_state(DONE if len(self._variants) > 1 else EMPTY)

    def _show_selected(self) -> None:
        chosen = self.chosen()
        self._show_chart()
        if self._running is None:
            self._show_state()
        if chosen is not None:
            self._show_verdict(chosen)
            self.selected.emit(chosen.id)

    def _show_chart(self) -> None:
        by_latency = self.axis.index() == 1
        identifier = self.selected_id()
        budget = self.request(identifier).max_drop if identifier is not None else None
        drawing = rows.tradeoff(self._variants, identifier, by_latency=by_latency, max_drop=budget)
        self.chart.setVisible(drawing is not None)
        self._chart_hint.setVisible(drawing is None)
        self.chart.show_drawing(drawing)

    def _show_verdict(self, variant: VariantRecord) -> None:
        word, tone, sentence = rows.conclusion(variant, self.request(variant.id).max_drop)
        self.verdict.show_state(word, tone)
        self.name.setText(variant.name)
        more = " ".join(filter(None, (rows.speed_sentence(variant), rows.kept_in_float(variant))))
        advice = figures_of(variant.summary).advice or ""
        for item, text in ((self.sentence, sentence), (self.more, more), (self.advice, advice)):
            item.setText(text)
            item.setVisible(bool(text))
        made_here = variant.step == rows.STEP
        self.regressed.setVisible(made_here)
        self.regressed.show_counts(measured(variant) if made_here else None)

    def _activate(self) -> None:
        identifier = self.selected_id()
        if identifier is not None:
            self.activated.emit(identifier)
