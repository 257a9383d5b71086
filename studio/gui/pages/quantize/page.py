"""The Quantize page: a preset and its data, what it will bring, and what it has made."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api import Kind, Option
from studio.documents.dataclass_json import from_json
from studio.gui import figures
from studio.gui.forms.form import Form
from studio.gui.pages.quantize import rows
from studio.gui.pages.quantize.baselines import QuantizeRequest
from studio.gui.pages.quantize.layers_view import LayersView
from studio.gui.pages.quantize.preflight_card import PreflightCard
from studio.gui.pages.quantize.preset_editor import PresetEditor
from studio.gui.pages.quantize.samples_view import SamplesView
from studio.gui.pages.quantize.stage_progress import StageProgress
from studio.gui.pages.quantize.target_evaluation_view import TargetEvaluationView
from studio.gui.pages.quantize.variants_view import VariantsView
from studio.gui.pages.shared.stage_page import StagePage, needs_model
from studio.gui.shell import Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import GRID, Card, Scroll, row, set_enabled
from studio.quantization.results import PreflightResult, SpeedupOutlook, VariantDetails
from studio.workspace import JobProgressed, NodeAsked

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, RunningJob, VariantRecord, Workspace

STEP = rows.STEP
AHEAD = "quantize-preview"
FORM_WIDTH = 43 * GRID
_DATA_WIDTH = 44 * GRID
_OF_THE_PRESET = ("method", "calibration", "samples", "keep", "preset")
_SETTLED_MS = 600
MAKE, VARIANTS, LAYERS, SAMPLES, TARGET = range(5)


class QuantizePage(StagePage):
    """The page that makes smaller variants of the current model and shows their metric drop."""

    stage = STEP
    title = "Quantize"
    icon = STEP
    repeats = ("quantize", "sensitivity", "evaluate")

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._variants: list[VariantRecord] = []
        self._awaited = False
        self._asked: RunningJob | None = None
        self._known: dict[tuple[int, str], SpeedupOutlook] = {}
        self._details: int | None = None
        self.preset = PresetEditor(workspace, shell.theming)
        self.form = Form(self._options(), project=shell.project)
        self.ahead = PreflightCard(shell.theming)
        self.stages = StageProgress()
        self.variants = VariantsView(shell.theming)
        self.layers = LayersView(shell.theming)
        self.samples = SamplesView(shell.theming)
        self.target = TargetEvaluationView(workspace, shell)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._build()
        self._command = self.add_command("Quantize the current variant", self.run)
        self.add_command("Use the selected variant", self.variants.use_selected)
        for index, what in enumerate(("preset", "variants", "layers", "samples")):
            self.add_command(f"Show the {what} of the quantization", partial(self.show_view, index))
        self.add_command("Evaluate the current variant on a target", self._to_target)
        self._connect()

    def _options(self) -> tuple[Option, ...]:
        """Return the step's options that are not the preset's; the model is the current variant."""
        return tuple(
            option
            for option in self.workspace.steps[STEP].form
            if option.kind not in (Kind.MODEL, Kind.OUTPUT) and option.name not in _OF_THE_PRESET
        )

    def _build(self) -> None:
        self._panes = [needs_model(self._make(), "quantize", self.shell.go)]
        self.add_view("Preset", self._panes[0])
        for title, view in (
            ("Variants", self.variants),
            ("Layers", self.layers),
            ("Samples", self.samples),
            ("On a target", self.target),
        ):
            pane = needs_model(view, "quantize", self.shell.go)
            self._panes.append(pane)
            self.add_view(title, pane)
        self.set_primary("Quantize", self.run)

    def _make(self) -> QWidget:
        preset = Card("Preset")
        preset.body.addWidget(self.preset, 1)
        preset.setMinimumWidth(FORM_WIDTH - 7 * GRID)
        preset.setMaximumWidth(FORM_WIDTH)
        data = _scrolled("Data and limits", self.form)
        data.setMaximumWidth(_DATA_WIDTH)
        self._progress = Card("Progress")
        self._progress.body.addWidget(self.stages)
        self._progress.body.addWidget(self.stages.left)
        self._progress.hide()
        right = QVBoxLayout()
        right.setSpacing(2 * GRID)
        right.addWidget(self.strip)
        right.addWidget(self._progress)
        right.addWidget(_scrolled("Pre-flight check", self.ahead), 1)
        content = QWidget()
        layout = row(preset, data, spacing=2 * GRID)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setStretch(0, 1)  # in a narrow window all three give way
        layout.setStretch(1, 1)
        layout.addLayout(right, 1)
        content.setLayout(layout)
        return content

    def _connect(self) -> None:
        self.form.submitted.connect(self.run)
        self.preset.submitted.connect(self.run)
        self.form.changed.connect(self._changed)
        self.preset.changed.connect(self._changed)
        self._settle.timeout.connect(self._settled)
        self.strip.finished.connect(self._finished)
        self.variants.selected.connect(self._load_details)
        self.variants.kept.connect(self.shell.select)
        self.variants.compared.connect(self._compare)
        self.layers.asked.connect(self._show_node)

    def take_focus(self) -> None:
        """Data come first: the preset that is shown will do for most."""
        if self.stack.currentIndex() == MAKE and self.variant is not None:
            self.form.fields["data"].editor.setFocus()
        else:
            super().take_focus()

    # The work

    def run(self) -> None:
        """Start the quantization with the preset and the values of the form."""
        if self.variant is None or self.strip.running:
            return
        if not (self.form.check() and self.preset.check()):
            self.show_view(MAKE)
            return
        if self._asked is not None:
            self._asked.cancel()
        options = {**self.form.values(), "preset": self.preset.option_value(), **self._model()}
        self.show_view(MAKE)
        if self.strip.follow(self.shell.start(STEP, **options)):
            self.stages.begin()
            self._progress.show()
        self._explain()

    @property
    def origin(self) -> VariantRecord | None:
        """What new variants are made from: the current one, or what it was quantized from."""
        variant = self.variant
        while variant is not None and variant.step == STEP and variant.parent is not None:
            variant = self.workspace.registry.variant(variant.parent)
        return variant

    def _model(self) -> dict[str, str]:
        assert self.origin is not None
        options = self.workspace.steps[STEP].form
        name = next(option.name for option in options if option.kind is Kind.MODEL)
        return {name: f"#{self.origin.id}"}

    def on_event(self, event: object) -> None:
        """Follow the page's jobs."""
        if isinstance(event, JobProgressed) and event.job == self.strip.job:
            state = event.job.state
            self.stages.advance(state.done / state.total if state.total else 0.0, state.text)
        super().on_event(event)
        self.target.on_event(event)
        asked = self._asked
        if asked is not None and getattr(event, "job", None) == asked and asked.outcome is not None:
            self._asked = None
            self._on_preflight(asked.outcome)

    def _finished(self, outcome: JobOutcome) -> None:
        self.stages.end()
        self._progress.hide()
        self._awaited = outcome.ok
        if outcome.ok:
            self.show_view(VARIANTS)
        self.refresh_soon()

    # Pre-flight check

    def _changed(self) -> None:
        self._explain()
        self._settle.start()

    def _settled(self) -> None:
        if self.isVisible():  # a window that closes takes the registry along
            self.run_preflight()

    def run_preflight(self) -> None:
        """Check the data and estimate the speed of int8 in a worker, unless both are known."""
        if self.variant is None or self.strip.running or self._asked is not None:
            return
        if self.workspace.why_not(AHEAD, self.variant):
            return  # the button shows the reason
        given = {
            name: value
            for name in ("data", "eval_data")
            if (value := self.form.fields[name].editor.value()) and Path(value).exists()
        }
        known = self._known.get(self._outlook_key())
        if (given, known) == getattr(self, "_last", (None, None)) or self.preset.problem:
            return
        self._last = (given, known)
        self._asked = self.shell.start(
            AHEAD, **given, **self._model(), outlook=known is None, preset=self.preset.text
        )
        if known is None:
            self.ahead.show_waiting()

    def _outlook_key(self) -> tuple[int, str]:
        assert self.origin is not None
        method = self.preset.text.partition("method")[2].partition("\n")[0]
        return self.origin.id, f"{method} {self.preset.values().get('activations')}"

    def _on_preflight(self, outcome: JobOutcome) -> None:
        if self.variant is None or not outcome.ok:
            return
        result: PreflightResult = outcome.result
        key = self._outlook_key()
        if result.outlook is not None:
            self._known[key] = result.outlook
        known = self._known.get(key)
        self._last = (self._last[0], known)
        self.ahead.show_result(replace(result, outlook=known))

    # What was made

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Show another current variant."""
        super().show_variant(variant)
        if self.isVisible():
            self._settle.start()

    def refresh(self) -> None:
        """Show the variants of the current model."""
        variant = self.variant
        for pane in self._panes:
            pane.show_content(variant is not None)
        self._variants = self.workspace.registry.variants(variant.model) if variant else []
        wanted = self._variants[-1].id if self._awaited and self._variants else None
        self._awaited = False
        asked = {one.id: self._run_options(one) for one in self._variants}
        current = variant.id if variant else None
        self._details = None
        self.target.show_variant(variant)
        self.variants.show_variants(self._variants, current, asked, wanted)
        self.ahead.show_measured(rows.latency_ratios(self._variants))
        self.set_note(self._note_text())
        self._explain()
        self._settle.start()

    def _note_text(self) -> str:
        """Return how many variants there are, and what the next one is made from."""
        origin = self.origin
        if origin is None:
            return ""
        variants = figures.count(len(self._variants), "variant")
        return f"{variants}; the next is derived from {origin.name}"

    def _run_options(self, variant: VariantRecord) -> QuantizeRequest:
        """Return the options of the run that made a variant."""
        runs = self.workspace.registry.runs(STEP, variant.id, most=1)
        return QuantizeRequest.read(runs[0].options if runs else {})

    def _load_details(self, number: int) -> None:
        """Read the layers and samples of a variant from its file."""
        if number == self._details:
            return
        self._details = number
        runs = self.workspace.registry.runs(STEP, number, most=1)
        artifact = runs[0].artifacts.get("details") if runs else None
        if artifact is None:
            self._show_details(number, VariantDetails())
            return
        read = partial(_read, artifact.path)
        self.workspace.in_background(read, partial(self._show_details, number))

    def _show_details(self, number: int, details: VariantDetails | Exception) -> None:
        if number != self._details:
            return
        known = VariantDetails() if isinstance(details, Exception) else details
        variant = next((one for one in self._variants if one.id == number), None)
        costs = rows.layer_costs(variant, self.workspace.results) if variant else {}
        self.layers.show_layers(known.layers, costs)
        self.samples.show_samples(known.samples)

    def _to_target(self) -> None:
        self.shell.go(self.stage)
        self.show_view(TARGET)

    def _show_node(self, name: str) -> None:
        self.shell.go("model")
        self.workspace.events.publish(NodeAsked(name))

    def _compare(self, number: int) -> None:
        self.shell.select(number)
        self.shell.go("model")
        self.workspace.events.publish(NodeAsked("", compare=True))

    def _explain(self) -> None:
        """Disable the primary button with the reason."""
        if self.primary is None:
            return
        reason = ""
        if self.variant is None:
            reason = "Open a model first."
        elif self.strip.running:
            reason = "A quantization is running. Cancel it to start another one."
        else:
            reason = self.workspace.why_not(STEP, self.variant) or self._missing()
        set_enabled(self.primary, reason)
        explain(self._command, reason)

    def _missing(self) -> str:
        """Return what is missing for the preset."""
        if self.preset.problem:
            return "Fix the errors in the preset first."
        needs_data = self.preset.form is not None and "samples" in self.preset.form.fields
        if needs_data and not self.form.fields["data"].editor.value():
            return "This preset needs calibration data. Drop a folder or an .npz file."
        return ""


def _scrolled(title: str, content: QWidget) -> Card:
    """Return a card whose content scrolls where it is longer than the window."""
    card = Card(title)
    scroll = Scroll(margin=0)
    scroll.body.setContentsMargins(0, 0, GRID, 0)
    scroll.body.addWidget(content)
    scroll.body.addStretch(1)
    card.body.addWidget(scroll, 1)
    return card


def _read(path: Path) -> VariantDetails:
    return from_json(VariantDetails, json.loads(path.read_text(encoding="utf-8")))
