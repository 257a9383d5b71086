"""The Profile page: latencies that can be trusted, and how far they can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from studio.api import Extension, Kind, Option
from studio.gui import figures
from studio.gui.actions import explain
from studio.gui.charts.chart import Chart
from studio.gui.editors import Entry
from studio.gui.forms import Form
from studio.gui.pages import profile_rows as rows
from studio.gui.pages import target_rows
from studio.gui.pages.base import Shell
from studio.gui.pages.parts import StagePage, needs_model
from studio.gui.pages.quantize_rows import quality
from studio.gui.tables import Table
from studio.gui.widgets import GRID, Card, FieldList, Hint, Pill, Scroll, label, row, set_enabled

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, RunRecord, VariantRecord, Workspace

STEP = "profile"
BACKEND = "backend"
IN_FRONT = ("model", BACKEND, "target", "threads", "seconds")
COLUMNS = 5
LIVE_MS = 250


class ProfilePage(StagePage):
    """Measures variants against each other and says what is sure about it."""

    stage = STEP
    title = "Profile"
    icon = STEP

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._result: dict[str, Any] = {}
        self._rows: list[rows.Row] = []
        self._offered: set[str] = set()
        self._soon = QTimer(self, singleShot=True, interval=LIVE_MS)
        self._soon.timeout.connect(lambda: self._show_result(self._result))
        self._model = next(o.name for o in workspace.steps[STEP].options if o.kind is Kind.MODEL)
        self.form = Form(self._options(), self, columns=COLUMNS)
        self.table = Table(rows.COLUMNS, rows.NUMERIC, stretch=0, name="Latencies")
        self.distribution = Chart(shell.theming, "Distribution of latencies", QSize(240, 144))
        self.tradeoff = Chart(shell.theming, "Accuracy against latency", QSize(240, 144))
        self.certainty = FieldList(name_width=20 * GRID)
        self.verdict = Pill("")
        self.sentence = label("", wrap=True)
        self._pane = needs_model(self._content(), "profile", shell.go)
        self.add_view("Latency", self._pane)
        self.set_primary("Profile", self.run)
        self._command = self.add_command("Profile the ticked variants", self.run)
        self.form.submitted.connect(self.run)
        self.strip.message.connect(self._live)
        self.strip.finished.connect(self._finished)
        self.table.itemSelectionChanged.connect(self._show_selected)

    def choices(self, option: Option) -> Sequence[Entry] | None:
        """The variants of the current model, the machines, and the runtimes."""
        if option.kind is Kind.MODEL:
            found = self._variants()
            return [(f"#{v.id}", f"{v.name}  {figures.size(v.size)}") for v in found]
        if option.kind is Kind.TARGET:
            targets = self.workspace.registry.targets()
            return [(target.name, target_rows.title(target)) for target in targets]
        if option.name == BACKEND:
            plugins = self.workspace.plugins
            return [(c.id, plugins.title(c)) for c in plugins.all(Extension.BACKEND)]
        return None

    def _variants(self) -> list[VariantRecord]:
        variant = self.variant
        return self.workspace.registry.variants(variant.model) if variant is not None else []

    def _backends(self) -> dict[str, str]:
        """Titles of the runtimes that can be used, by identifier."""
        return {c.id: c.title for c in self.workspace.plugins.all(Extension.BACKEND)}

    def _options(self) -> tuple[Option, ...]:
        """The step's options: the few that matter each time in front, the others folded."""
        options = self.workspace.steps[STEP].options
        return tuple(
            replace(option, advanced=option.name not in IN_FRONT)
            for option in options
            if option.kind is not Kind.OUTPUT
        )

    # Layout

    def _content(self) -> QWidget:
        scroll = Scroll()
        measured = Card()
        measured.setAccessibleName("What is measured")
        measured.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        measured.body.addWidget(self.form)
        scroll.body.addWidget(measured)
        scroll.body.addWidget(self.strip)
        self._results = QWidget()
        results = QVBoxLayout(self._results)
        results.setContentsMargins(0, 0, 0, 0)
        results.setSpacing(2 * GRID)
        results.addLayout(self._upper())
        results.addLayout(self._lower(), 1)
        self._nothing = Hint(
            "Nothing measured yet",
            "Tick the variants to compare and press Profile. They are measured in turns, so that "
            "a busy machine disturbs all of them alike.",
        )
        scroll.body.addWidget(self._results, 1)
        scroll.body.addWidget(self._nothing, 1)
        return scroll

    def _upper(self) -> QVBoxLayout:
        listed = Card()
        listed.body.setContentsMargins(4, 4, 4, 4)
        listed.body.addWidget(self.table)
        self._tradeoff_card = Card(
            "Accuracy against latency", "The line is what is worth choosing."
        )
        self._tradeoff_card.body.addWidget(self.tradeoff, 1)
        layout = QVBoxLayout()
        layout.addWidget(listed)
        return layout

    def _lower(self) -> QHBoxLayout:
        spread = Card("Distribution")
        spread.body.addWidget(self.distribution, 1)
        sure = Card("How sure is this?")
        conclusion = row(self.verdict, self.sentence)
        conclusion.setStretch(1, 1)
        sure.body.addLayout(conclusion)
        sure.body.addWidget(self.certainty)
        sure.body.addStretch(1)
        self._spread = spread
        self._sure = sure
        layout = row(spacing=2 * GRID)
        layout.addWidget(self._tradeoff_card, 1)
        layout.addWidget(spread, 1)
        layout.addWidget(sure, 1)
        return layout

    # What happens

    def refresh(self) -> None:
        """Offer the variants of the current model, and show its newest run."""
        self._pane.show_content(self.variant is not None)
        self._offer()
        if not self.strip.running:
            newest = self._newest()
            self._show_result(dict(newest.result) if newest else {})
        self._explain()

    def run(self) -> None:
        """Measure what is ticked."""
        if self.variant is None or self.strip.running or not self.form.check():
            return
        if self.strip.follow(self.shell.start(STEP, **self.form.values())):
            self._result = {}
            self._show([])
        self._explain()

    def _offer(self) -> None:
        """Offer the variants of the model; one that is new is ticked."""
        ticked = set(self.form.fields[self._model].editor.value() or ())
        self.form.refresh()
        every = [f"#{variant.id}" for variant in self._variants()]
        wanted = [value for value in every if value in ticked or value not in self._offered]
        self._offered = set(every)
        self.form.set_values({self._model: wanted})

    def _live(self, name: str, values: dict[str, Any]) -> None:
        """Take what is known of a run so far; it is shown a few times a second."""
        if name == "run":
            self._result = rows.live(self._result, values)
            if not self._soon.isActive():
                self._soon.start()

    def _finished(self, outcome: JobOutcome) -> None:
        self._soon.stop()
        self.table.setCurrentCell(-1, -1)  # so that what is compared is selected, not what ran
        self.refresh_soon()

    def _newest(self) -> RunRecord | None:
        if self.variant is None:
            return None
        ours = {variant.id for variant in self._variants()}
        runs = self.workspace.registry.runs(STEP)
        return next((run for run in runs if run.variant in ours), None)

    def _show_result(self, result: dict[str, Any]) -> None:
        self._result = result
        self._show(rows.table(result, self._names(result)))

    def _names(self, result: Mapping[str, Any]) -> rows.Names:
        target = str(result.get("target") or self.form.fields["target"].editor.value() or "")
        return rows.Names(self._backends(), target_rows.spoken(target))

    def _show(self, shown: list[rows.Row]) -> None:
        chosen = self._selected_key()
        self._rows = shown
        self._results.setVisible(bool(shown))
        self._nothing.setVisible(not shown and not self.strip.running)
        self.table.blockSignals(True)
        self.table.show_rows([[*item.texts, self._pill(item)] for item in shown])
        self.table.blockSignals(False)
        self.table.fit_height(10)
        self.set_note(rows.summary(shown) if shown else "")
        keys = [item.key for item in shown]
        if keys:
            self.table.selectRow(keys.index(chosen) if chosen in keys else self._default_row())
        self._show_selected()

    def _default_row(self) -> int:
        """The first that is compared with the baseline."""
        states = [item.state for item in self._rows]
        return next((y for y, state in enumerate(states) if state != "baseline"), 0)

    @staticmethod
    def _pill(item: rows.Row) -> Pill:
        pill = Pill(item.state, item.tone)
        pill.setToolTip(item.reason or item.note)
        pill.setAccessibleDescription(item.reason or item.note)
        return pill

    def _selected_key(self) -> str:
        y = self.table.currentRow()
        return self._rows[y].key if 0 <= y < len(self._rows) else ""

    def _show_selected(self) -> None:
        chosen = self._selected_key()
        item = next((item for item in self._rows if item.key == chosen), None)
        if item is None:  # between two fillings of the table nothing is selected
            return
        drawing = rows.distribution(self._result, chosen)
        self._spread.setVisible(drawing is not None)
        self.distribution.show_drawing(drawing)
        quality, title = self._quality()
        tradeoff = rows.tradeoff(self._result, quality, title, chosen)
        running = self.strip.running
        self._tradeoff_card.setVisible(tradeoff is not None and not running)
        self._sure.setVisible(not running)
        self.tradeoff.show_drawing(tradeoff)
        self.certainty.show_fields(rows.certainty(self._result))
        word, tone, sentence = rows.conclusion(self._result, chosen)
        if item.reason:
            word, tone, sentence = item.state, item.tone, item.reason
        self.verdict.show_state(word, tone)
        self.sentence.setText(sentence)

    def _quality(self) -> tuple[dict[str, float], str]:
        """The metric of each variant by name, as it was measured when they were made."""
        if self.variant is None:
            return {}, ""
        variants = self._variants()
        found, title = quality(variants)
        return {v.name: found[v.id] for v in variants if v.id in found}, title

    def _explain(self) -> None:
        """Name the primary button, and say on it why it cannot be pressed."""
        if self.primary is None:
            return
        self.primary.setText("Run again" if self._rows else "Profile")
        self.primary.setAccessibleName(self.primary.text())
        reason = ""
        if self.variant is None:
            reason = "Open a model first."
        elif self.strip.running:
            reason = "A measurement is running; cancel it to start another one."
        else:
            reason = self.workspace.why_not(STEP, self.variant)
        set_enabled(self.primary, reason)
        explain(self._command, reason)
