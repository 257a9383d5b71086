"""The Profile page: latencies that can be trusted, and how far they can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from studio.api import Extension, Kind, Option
from studio.api.qt import plain_tip
from studio.documents.dataclass_json import from_json
from studio.gui import figures
from studio.gui.charts.chart import Chart, Drawing
from studio.gui.forms.editors import Choice
from studio.gui.forms.form import Form, share_place
from studio.gui.pages.profile import modes, rows
from studio.gui.pages.profile.dynamic_shapes import DynamicShapes
from studio.gui.pages.profile.export import ProfileExport
from studio.gui.pages.profile.history import HistoryView
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.quality import quality
from studio.gui.pages.shared.stage_page import StagePage, needs_model
from studio.gui.shell import Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import (
    GRID,
    Card,
    FieldList,
    Hint,
    Pill,
    Scroll,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.tables import Table
from studio.models.results import ModelFigures
from studio.profiling.results import ProfileResult, ProfileRun, RunMessage
from studio.workspace import ProfileDocument

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, VariantRecord, Workspace

STEP = "profile"
BACKEND = "backend"
MODE = "mode"
SHAPES = "shapes"
IN_FRONT = ("model", BACKEND, "target", MODE, "threads", "seconds", "streams", "batch", "minutes",
            "limit")  # fmt: skip
COLUMNS = 4
LIVE_MS = 250


class ProfilePage(StagePage):
    """The page that benchmarks variants against each other and shows the verdicts."""

    stage = STEP
    title = "Profile"
    icon = STEP
    repeats = ("profile",)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._result = ProfileResult()
        self._rows: list[rows.ProfileRow] = []
        self._offered: set[str] = set()
        self._soon = QTimer(self, singleShot=True, interval=LIVE_MS)
        self._soon.timeout.connect(lambda: self._show_result(self._result))
        self._model = next(o.name for o in workspace.steps[STEP].form if o.kind is Kind.MODEL)
        self.form = Form(self._options(), self, columns=COLUMNS)
        for name, other in (("seconds", "minutes"), ("batch", "limit")):
            share_place(self.form.fields[name], self.form.fields[other])
        self.sizes = DynamicShapes()
        self.history = HistoryView()
        self.export = ProfileExport(workspace, shell)
        self.deploy_this = button("Deploy this variant", self._deploy)
        self.table = Table(rows.COLUMNS, rows.NUMERIC, stretch=0, name="Latencies")
        self.distribution = Chart(shell.theming, "Latency distribution", QSize(216, 144))
        self.tradeoff = Chart(shell.theming, "Accuracy vs latency", QSize(216, 144))
        self.certainty = FieldList(name_width=20 * GRID)
        self.verdict = Pill("")
        self.sentence = label("", wrap=True)
        self._pane = needs_model(self._content(), "profile", shell.go)
        self.add_view("Results", self._pane)
        self.add_view("History", self.history)
        self.add_tool(self.export)
        self.set_primary("Profile", self.run)
        self._command = self.add_command("Profile the selected variants", self.run)
        self.form.submitted.connect(self.run)
        self.strip.message.connect(self._live)
        self.strip.finished.connect(self._finished)
        self.table.itemSelectionChanged.connect(self._show_selected)
        self.tradeoff.picked.connect(self.table.selectRow)
        self.history.chosen.connect(self._show_profile)
        self.form.fields[MODE].changed.connect(self._show_mode)
        self._show_mode()

    def choices(self, option: Option) -> Sequence[Choice] | None:
        """Return the variants of the current model, the machines, and the runtimes."""
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
        """Return the step's options: the few that matter each time in front, the others folded."""
        options = {option.name: option for option in self.workspace.steps[STEP].form}
        order = [*IN_FRONT, *(name for name in options if name not in IN_FRONT)]
        return tuple(
            replace(options[name], advanced=name not in IN_FRONT)
            for name in order
            if options[name].kind is not Kind.OUTPUT
        )

    def _show_mode(self) -> None:
        """Show the options that mean something in the mode that is chosen."""
        mode = str(self.form.fields[MODE].editor.value() or modes.LATENCY)
        dependent = {name for names in modes.OPTIONS.values() for name in names}
        for name in dependent:
            self.form.fields[name].setVisible(name in modes.OPTIONS[mode])

    # Layout

    def _content(self) -> QWidget:
        scroll = Scroll()
        measured = Card()
        measured.setAccessibleName("Settings")
        measured.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        measured.body.addWidget(self.form)
        scroll.body.addWidget(measured)
        scroll.body.addWidget(self.sizes)
        scroll.body.addWidget(self.strip)
        self._results = QWidget()
        results = QVBoxLayout(self._results)
        results.setContentsMargins(0, 0, 0, 0)
        results.setSpacing(2 * GRID)
        results.addLayout(self._upper())
        results.addLayout(self._lower(), 1)
        self._nothing = Hint(
            "No results yet",
            "Select variants and press Profile. Rounds are interleaved, so background load "
            "affects all variants equally.",
        )
        scroll.body.addWidget(self._results, 1)
        scroll.body.addWidget(self._nothing, 1)
        return scroll

    def _upper(self) -> QVBoxLayout:
        listed = Card()
        listed.body.setContentsMargins(4, 4, 4, 4)
        listed.body.addWidget(self.table)
        self._tradeoff_card = Card(
            "Accuracy, latency and size",
            "The line is the Pareto front. Point size shows file size.",
        )
        self._tradeoff_card.body.addWidget(self.tradeoff, 1)
        self._tradeoff_card.body.addLayout(row(self.deploy_this, None))
        layout = QVBoxLayout()
        layout.addWidget(listed)
        return layout

    def _lower(self) -> QHBoxLayout:
        spread = Card("Distribution")
        spread.body.addWidget(self.distribution, 1)
        sure = Card("Statistics")
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
        self._explain()
        if self.variant is None:
            self._show_profiles(None, [])
            return
        model = self.variant.model
        # Profiles with operators are large, and there may be many: they are read aside.
        self.workspace.in_background(
            lambda: self.workspace.profiles.all(model), partial(self._show_profiles, model)
        )

    def _show_profiles(
        self, model: int | None, profiles: list[ProfileDocument] | Exception
    ) -> None:
        """Show the newest profile of a model, list all, and ask for the sizes of its inputs."""
        if isinstance(profiles, Exception):
            self.shell.fail(profiles)
            return
        if model != (self.variant.model if self.variant is not None else None):
            return  # the user chose another model since
        newest = profiles[0] if profiles else ProfileDocument()
        if not self.strip.running:
            self._show_result(newest)
        self.history.show_profiles(profiles)
        inputs = ModelFigures.read(self.variant.summary).inputs if self.variant is not None else ()
        before = newest.options.get(SHAPES)
        self.sizes.show_inputs(inputs, before if isinstance(before, list) else ())
        self._explain()

    def _show_profile(self, profile: ProfileDocument) -> None:
        """Show an earlier profile among the results."""
        self._show_result(profile)
        self.show_view(0)
        self.shell.notify(f"Showing run {profile.run} of {figures.moment(profile.at)}.")

    def _deploy(self) -> None:
        """Make the selected run's variant the current one, and go where it is deployed."""
        run = self._selected_run()
        if run is not None and run.variant_id:
            self.shell.select(run.variant_id)
            self.shell.go("deploy")

    def run(self) -> None:
        """Measure what is ticked."""
        if self.variant is None or self.strip.running or not self.form.check():
            return
        options = self.form.values()
        if not options.get("data") and not options.get(SHAPES):
            if not self.sizes.check():
                return
            options[SHAPES] = self.sizes.values()
        if self.strip.follow(self.shell.start(STEP, **options)):
            target = str(self.form.fields["target"].editor.value() or "")
            self._result = ProfileResult(mode=options.get(MODE) or modes.LATENCY, target=target)
            self.export.show_run(None)
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

    def _live(self, name: str, values: dict[str, object]) -> None:
        """Store the partial result of a run, which is shown a few times a second."""
        if name == "run":
            self._result = rows.live(self._result, from_json(RunMessage, values))
        elif name in modes.MESSAGES:
            message = from_json(modes.MESSAGES[name], values)
            self._result = modes.add_message(self._result, message)
        else:
            return
        if not self._soon.isActive():
            self._soon.start()

    def on_event(self, event: object) -> None:
        """Follow the page's job and the files that are written."""
        self.export.on_event(event)
        super().on_event(event)

    def _finished(self, outcome: JobOutcome) -> None:
        self._soon.stop()
        self.table.setCurrentCell(-1, -1)  # so that what is compared is selected, not what ran
        self.refresh_soon()

    def _show_result(self, result: ProfileResult) -> None:
        self._result = result
        self.export.show_run(result.run)
        self.table.setHorizontalHeaderLabels(list(rows.headings(result)))
        names = rows.Names(self._backends(), target_rows.spoken(result.target))
        self._show(rows.table(result, names))

    def _show(self, shown: list[rows.ProfileRow]) -> None:
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
        """Return the first that is compared with the baseline."""
        states = [item.state for item in self._rows]
        return next((y for y, state in enumerate(states) if state != "baseline"), 0)

    @staticmethod
    def _pill(item: rows.ProfileRow) -> Pill:
        pill = Pill(item.state, item.tone)
        pill.setToolTip(plain_tip(item.reason or item.note))
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
        mode = modes.mode_of(self._result)
        drawing: Drawing | None = rows.distribution(self._result, chosen)
        if mode != modes.LATENCY:
            drawing = modes.drawing(self._result, rows.chart_names(self._result))
        self._spread.heading.setText(modes.CARDS[mode])
        self._spread.setVisible(drawing is not None)
        self.distribution.show_drawing(drawing)
        quality, title = self._quality()
        tradeoff = rows.tradeoff(self._result, quality, title, chosen, self._sizes())
        running = self.strip.running
        self._tradeoff_card.setVisible(tradeoff is not None and not running)
        self._sure.setVisible(not running)
        self.tradeoff.show_drawing(tradeoff)
        self.certainty.show_fields(rows.certainty(self._result, chosen))
        self._explain_deploy()
        word, tone, sentence = rows.conclusion(self._result, chosen)
        if item.reason:
            word, tone, sentence = item.state, item.tone, item.reason
        self.verdict.show_state(word, tone)
        self.sentence.setText(sentence)

    def _selected_run(self) -> ProfileRun | None:
        return rows.run_of(self._result, self._selected_key())

    def _explain_deploy(self) -> None:
        run, known = self._selected_run(), {variant.id for variant in self._variants()}
        is_known = run is not None and run.variant_id in known
        set_enabled(self.deploy_this, "" if is_known else "The variant of this run was removed.")
        if run is not None and is_known:
            self.deploy_this.setToolTip(
                plain_tip(f"Choose {rows.variant_name(run)} and go to Deploy")
            )

    def _sizes(self) -> dict[str, int]:
        """Return the size of each variant's file, by its name."""
        return {variant.name: variant.size for variant in self._variants()}

    def _quality(self) -> tuple[dict[str, float], str]:
        """Return the metric of each variant by name, as it was measured when they were made."""
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
        if self.variant is None:
            reason = "Open a model first."
        elif self.strip.running:
            reason = "A profile is running. Cancel it to start another one."
        else:
            reason = self.workspace.why_not(STEP, self.variant)
        set_enabled(self.primary, reason)
        explain(self._command, reason)
