"""The Optimize page: a chip, one of its presets with predictions, and what was made with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from studio.api import Kind
from studio.gui.forms.form import Form
from studio.gui.option_words import outcome_in_window
from studio.gui.pages.quantize import rows
from studio.gui.pages.quantize.baselines import QuantizeRequest
from studio.gui.pages.quantize.data_line import DataLine
from studio.gui.pages.quantize.float_list import FloatList
from studio.gui.pages.quantize.options_sheet import OptionsSheet, column, own_options, scrolled
from studio.gui.pages.quantize.preflight_card import PreflightCard
from studio.gui.pages.quantize.preflight_check import STEP as AHEAD
from studio.gui.pages.quantize.preset_choice import PresetChoice
from studio.gui.pages.quantize.requirements import DataChoice, Requirement, data_line, missing
from studio.gui.pages.quantize.selected_variant import SelectedVariant
from studio.gui.pages.quantize.target_evaluation_view import TargetEvaluationView
from studio.gui.pages.quantize.variants_view import VariantsView
from studio.gui.pages.shared.stage_page import StagePage, needs_model
from studio.gui.shell import Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import GRID, Scroll, button, set_enabled
from studio.gui.widgets.late_view import LateView
from studio.workspace import JobProgressed, NodeAsked

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, VariantRecord, Workspace

STEP = rows.STEP
_SETTLED_MS = 600
_NARROW = 125 * GRID
"""Below this width, the chart is below the table."""

MAKE, LINEAGE, LAYERS, SAMPLES, TARGET = range(5)
_OPTIMIZE, _PROMOTE = "Optimize", "Make current and profile"


class QuantizePage(StagePage):
    """The page that makes smaller variants of the current model and shows their metric drop."""

    stage = STEP
    title = "Optimize"
    icon = STEP
    repeats = ("quantize", "sensitivity", "evaluate")

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._variants: list[VariantRecord] = []
        self._awaited = False
        self._is_done = False
        self._model_shown: int | None = None
        self.choice = PresetChoice(workspace, shell, self)
        self.preset, self.cards = self.choice.editor, self.choice.cards

    def build(self) -> Iterator[None]:
        """Make the form, the variants and their views, and connect them."""
        shell, workspace = self.shell, self.workspace
        self.form = Form(own_options(workspace.steps[STEP].form), project=shell.project)
        self.data = DataLine(shell.theming)
        self.float_list = FloatList(shell)
        yield
        self.ahead = PreflightCard(shell.theming)
        self.variants = VariantsView(shell.theming, self.strip)
        yield
        self.selected = SelectedVariant(workspace, shell.theming, self.variants)
        self.lineage, self.layers = self.selected.lineage, self.selected.layers
        self.samples = self.selected.samples
        self._on_target = LateView(self._target_view)
        self._settle = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        yield
        self._build()
        self._command = self.add_command("Optimize the current variant", self.run)
        self.add_command("Use the selected variant", self._use_selected)
        self.add_command("Make the selected variant current and profile it", self._promote)
        for index, what in enumerate(("variants", "lineage", "layers", "samples")):
            self.add_command(f"Show the {what} of the optimization", partial(self.show_view, index))
        self.add_command("Show all presets and options", self.show_options)
        self.add_command("Evaluate the current variant on a target", self._to_target)
        self._connect()

    def _build(self) -> None:
        self._panes = []
        for title, view in (
            ("Overview", self._overview()),
            ("Lineage", self.lineage),
            ("Layers", self.layers),
            ("Samples", self.samples),
            ("On a target", self._on_target),
        ):
            pane = needs_model(view, "optimize", self.shell.go)
            self._panes.append(pane)
            self.add_view(title, pane)
        self.again = button("Optimize again", self.run)
        self.again.hide()
        self.add_tool(self.again)
        self.set_primary(_OPTIMIZE, self._go_on)
        self.sheet = OptionsSheet(
            "Presets and options",
            {
                "Preset": column(self.preset, margin=2 * GRID),
                "Data and limits": scrolled(column(self.form, self.float_list, self.ahead)),
            },
            _OPTIMIZE,
            self,
        )

    def _overview(self) -> QWidget:
        content = Scroll(spacing=12)
        for view in (self.cards, self.data):
            content.body.addWidget(view)
        content.body.addWidget(self.variants, 1)
        return content

    def _connect(self) -> None:
        for asks in (self.form.submitted, self.preset.submitted, self.sheet.accepted):
            asks.connect(self.run)
        self.form.changed.connect(self._changed)
        self.choice.changed.connect(self._changed)
        self.data.change_asked.connect(self.shell.project.change_asked)
        self.choice.requested.connect(self._show_requested)
        self.data.skipped.connect(lambda: self.form.set_values({"metric": "none"}))
        self.data.options_asked.connect(self.show_options)
        self.sheet.closed.connect(self._explain)
        self._settle.timeout.connect(self._settled)
        self.choice.check.changed.connect(self._show_preflight)
        self.strip.finished.connect(self._finished)
        self.variants.selected.connect(lambda _number: self._show_selected())
        self.variants.activated.connect(self.shell.select)
        self.variants.state.retried.connect(self.run)
        self.variants.state.options_asked.connect(self.show_options)
        self.variants.state.search_asked.connect(self._search_layers)
        self.variants.regressed.all_asked.connect(partial(self.show_view, SAMPLES))
        self.lineage.kept.connect(self.shell.select)
        self.lineage.compared.connect(self._compare)
        self.float_list.nodes.changed.connect(self._show_choice)
        for asks in (self.layers.asked, self.float_list.asked):
            asks.connect(self._show_node)
        self.shell.project.changed.connect(self._explain)

    def take_focus(self) -> None:
        """The preset comes first; the data are those of the project."""
        card = self.cards.card_of(self.preset.chosen_name)
        if self.stack.currentIndex() == MAKE and self.variant is not None and card is not None:
            card.radio.setFocus()
        else:
            super().take_focus()

    def parts(self) -> list[QWidget]:
        """What wears a style sheet of its own: the sheet, too."""
        return [*super().parts(), self.sheet]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the chart below the table in a narrow window, and less into the cards."""
        super().resizeEvent(event)
        for part in (self.cards, self.variants):
            part.set_narrow(self.width() < _NARROW)

    # The choice and what it lacks

    def show_options(self) -> None:
        """Show the sheet with all presets and options."""
        self.show_view(MAKE)
        self.shell.theming.dress_shown(self.sheet)
        self.sheet.open_sheet()
        self._explain()

    def _data(self) -> DataChoice:
        """Return the data and the metric of the form."""
        values = {name: field.editor.value() for name, field in self.form.fields.items()}
        return DataChoice.read(values)

    def requirement(self) -> Requirement | None:
        """Return what is missing for the work; None where nothing is."""
        project, found = self.shell.project.value, self.choice.check.result
        return missing(self._data(), project, found, needs_data=self.choice.needs_data)

    def _explain(self) -> None:
        """Name the primary button by the next step, or disable it with the reason."""
        if self.primary is None:
            return
        requirement = self.requirement() if self.variant is not None else None
        text = data_line(self._data(), self.shell.project.value, self.choice.check.result)
        self.data.show_line(text, requirement)
        self.data.name_options(len(self.preset.entries), self.choice.other)
        reason = self._reason(requirement)
        promoted = self._promoted()
        self.primary.setText(_OPTIMIZE if promoted is None else _PROMOTE)
        self.primary.setAccessibleName(self.primary.text())
        set_enabled(self.primary, reason if promoted is None else "")
        is_open = not self.sheet.isHidden()
        self.primary.setVisible(not is_open)
        self.again.setVisible(promoted is not None and not is_open)
        for item in (self.again, self.sheet.primary):
            set_enabled(item, reason)
        explain(self._command, reason)

    def _reason(self, requirement: Requirement | None) -> str:
        """Return why nothing can be started now; empty where it can."""
        if self.variant is None:
            return "Open a model first."
        if self.strip.running:
            return "An optimization is running. Cancel it to start another one."
        if self.preset.problem:
            return "Fix the errors in the preset first."
        blocking = requirement.text if requirement is not None and requirement.blocks else ""
        return self.workspace.why_not(STEP, self.variant) or blocking

    def _go_on(self) -> None:
        if self._promoted() is not None:
            self._promote()
        else:
            self.run()

    def _promoted(self) -> int | None:
        """Return the variant that is to become current after a success; None before one."""
        chosen = self.variants.chosen()
        current = self.variant.id if self.variant is not None else None
        is_new = chosen is not None and chosen.parent is not None and chosen.id != current
        return chosen.id if chosen is not None and self._is_done and is_new else None

    def _promote(self) -> None:
        """Make the selected variant current, and go to Profile; nothing is started there."""
        chosen = self.variants.selected_id()
        if chosen is not None:
            self._is_done = False
            self.shell.select(chosen)
            self.shell.go("profile")

    def _use_selected(self) -> None:
        chosen = self.variants.selected_id()
        if chosen is not None:
            self.shell.select(chosen)

    def run(self) -> None:
        """Start the quantization with the preset and the values of the form."""
        if self.variant is None or self.strip.running:
            return
        if not (self.form.check() and self.preset.check()):
            self.show_options()
            self.sheet.show_view(0 if self.preset.problem else 1)
            return
        self._explain()
        if self._reason(self.requirement()):
            return
        self.choice.check.cancel()
        options = {**self.form.values(), "preset": self.preset.option_value(), **self._model()}
        self.sheet.close_sheet()
        self.show_view(MAKE)
        self._is_done = False
        if self.strip.follow(self.shell.start(STEP, **options)):
            self.variants.show_running()
        self._explain()

    def _show_requested(self, chip: str) -> None:
        self.form.set_values({"for": chip})
        self._changed()
        self.show_view(MAKE)

    def _search_layers(self) -> None:
        """Try again with a search for the layers that stay in float."""
        self.form.set_values({"search": True})
        self.run()

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
            share = state.done / state.total if state.total else 0.0
            self.variants.state.stages.advance(share, state.text)
        super().on_event(event)
        if (view := self._on_target.made) is not None:
            view.on_event(event)
        self.float_list.nodes.on_event(event)
        self.choice.on_event(event)

    def _finished(self, outcome: JobOutcome) -> None:
        words = self.workspace.steps[STEP].form
        self.variants.show_end(outcome_in_window(outcome, words))
        self._awaited = self._is_done = outcome.ok
        if outcome.ok:
            self.show_view(MAKE)
        self.refresh_soon()

    def _changed(self) -> None:
        self._is_done = False
        self._show_choice()
        self._explain()
        self._settle.start()

    def _show_choice(self) -> None:
        if not self.isVisible():  # predictions read the whole graph
            self.refresh_soon()
            return
        budget, float_nodes = self._data().budget, self.float_list.nodes.names
        self.choice.show_model(self.origin, self._variants, budget, float_nodes)

    def _settled(self) -> None:
        if self.isVisible():  # a window that closes takes the registry along
            self.run_preflight()

    def run_preflight(self) -> None:
        """Check the data and estimate the speed of int8 in a worker, unless both are known."""
        if self.variant is None or self.strip.running:
            return
        if self.workspace.why_not(AHEAD, self.variant):
            return  # the button shows the reason
        if self.choice.run_check(self._data(), self._model()):
            self.ahead.show_waiting()

    def _show_preflight(self) -> None:
        if self.variant is not None and self.choice.check.result is not None:
            self.ahead.show_result(self.choice.check.result)
            self._explain()

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Show another current variant; what was chosen for one model is not kept for the next."""
        model = variant.model if variant is not None else None
        if model != self._model_shown:
            self._model_shown = model
            self._is_done = False
            self.choice.check.forget_data()
            self.form.set_values({"metric": "auto", "for": ""})
        self.float_list.show_variant(variant)
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
        asked = {one.id: QuantizeRequest.of(self.workspace, one) for one in self._variants}
        self.selected.forget()
        if (view := self._on_target.made) is not None:
            view.show_variant(variant)
        current = variant.id if variant else None
        profiles = self.workspace.profiles
        self._variants = profiles.with_measured_times(self._variants)
        self.variants.show_variants(self._variants, current, asked, wanted)
        self.ahead.show_measured(rows.latency_ratios(self._variants))
        self.set_note(rows.note_text(self.origin, len(self._variants)))
        self._show_choice()
        self._explain()
        self._settle.start()

    @property
    def target(self) -> TargetEvaluationView:
        """The evaluation on a target."""
        return self._on_target.view

    def _target_view(self) -> TargetEvaluationView:
        view = TargetEvaluationView(self.workspace, self.shell)
        view.show_variant(self.variant)
        return view

    def _show_selected(self) -> None:
        """Show how the selected variant was made, and offer it as the next current one."""
        self._explain()
        self.selected.show(self._variants, self.variant.id if self.variant is not None else None)

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
