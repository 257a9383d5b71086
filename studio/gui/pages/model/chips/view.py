"""The check of the current variant for a chip: the choice, the work, and its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from studio.api import Kind, StudioError
from studio.api.qt import plain_tip
from studio.conversion.chips.results import ChipResult
from studio.gui import figures
from studio.gui.forms.form import Form
from studio.gui.pages.model.chips.answer import ChipAnswer
from studio.gui.pages.model.chips.choice import ChipCombo, remember, remembered
from studio.gui.pages.model.chips.placement import box_of, placement_overlay
from studio.gui.pages.model.chips.remedies import ChipRemedy
from studio.gui.pages.model.chips.texts import missing_sentence, verdict_sentence
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.licence_question import install_accepted
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import MessageAction
from studio.gui.widgets.basics import GRID, Hint, Scroll, button, label, row, set_enabled
from studio.workspace import NodeAsked, PresetAsked, chip_lines, missing_toolchains

if TYPE_CHECKING:
    from studio.api import Option
    from studio.gui.forms.editors import Choice
    from studio.gui.graph.overlay import Overlay
    from studio.gui.graph.scene import Scene
    from studio.gui.pages.shared.float_nodes import FloatNodes
    from studio.gui.shell import Shell
    from studio.workspace import Environment, JobOutcome, Plugin, VariantRecord, Workspace

STEP = "check"
INSTALL = "environment-install"
EDIT = "edit"
_FORM_WIDTH = 32 * GRID
_MOST_RUNS = 50
"""Newest checks of a variant among which that of the chip is looked for."""

TITLE = "Check for a chip"
CHOOSE = "Choose a chip. Its vendor's compiler then shows which nodes run on it, without a device."
READY = "Check compiles the model on this computer, in a sandbox without network."
_BUSY = "A job of this tool is running. Wait for it, or cancel it."
_OPTIMIZE = "Quantize with the preset of this chip. The variant gets the chip's verdict."
_RARE = ("input", "out", "target")
_BAR_WIDTH = 12 * GRID


class ChipView(QWidget):
    """A view that checks a variant for a chip, lists the nodes at fault and paints the placement.

    Args:
        floats: The nodes that the project keeps in float.

    Signals:
        painted: The Overlay of the placement.
        chosen: The box of the node whose row was selected.
    """

    painted = Signal(object)
    chosen = Signal(int)

    def __init__(self, workspace: Workspace, shell: Shell, floats: FloatNodes) -> None:
        super().__init__()
        self._workspace, self._shell, self._floats = workspace, shell, floats
        self._variant: VariantRecord | None = None
        self._scene: Scene | None = None
        self._result: ChipResult | None = None
        self._missing: Sequence[tuple[Plugin, Environment]] = ()
        self._work, self._subject = "", 0
        self.combo = ChipCombo()
        self.state = label("", "dim", wrap=True)
        self.install = button("Install", self._install)
        self.form = Form(_fields(workspace.steps[STEP].form), self, project=shell.project)
        self.check = button("Check", self.run, "primary")
        self.optimize = button("Optimize for this chip…", self._optimize)
        self.strip = JobStrip()
        self.strip.bar.setFixedWidth(_BAR_WIDTH)
        self.answer = ChipAnswer()
        self.hint = Hint(TITLE, CHOOSE)
        self._stack = QStackedWidget()
        self._build()
        self._connect()

    def _build(self) -> None:
        asked = Scroll(margin=0, spacing=GRID)
        asked.setFixedWidth(_FORM_WIDTH)
        asked.body.setContentsMargins(0, 0, GRID, 0)
        asked.body.addWidget(self.combo)
        asked.body.addLayout(row(self.check, self.install, None))
        asked.body.addWidget(self.state)
        asked.body.addWidget(self.form)
        asked.body.addLayout(row(self.optimize, None))
        asked.body.addStretch(1)
        for page in (self.hint, self.answer):
            self._stack.addWidget(page)
        side = QVBoxLayout()
        side.setSpacing(GRID)
        side.addWidget(self.strip)
        side.addWidget(self._stack, 1)
        layout = row(asked, spacing=3 * GRID)
        layout.addLayout(side, 1)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self.setLayout(layout)

    def _connect(self) -> None:
        self.combo.chip_chosen.connect(self._choose)
        self.form.submitted.connect(self.run)
        self.strip.finished.connect(self._finished)
        self.answer.paint.clicked.connect(self.paint)
        self.answer.node_chosen.connect(self._show_node)
        self.answer.remedies.taken.connect(self._take)
        self._floats.changed.connect(self._explain)

    def choices(self, option: Option) -> Sequence[Choice] | None:
        """Return the targets whose outputs can be compared with the chip's, for the form."""
        if option.kind is not Kind.TARGET:
            return None
        names = [one.name for one in self._workspace.registry.targets()]
        return [(name, target_rows.spoken(name)) for name in names if name != target_rows.LOCAL]

    # What is shown

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another variant, with the chip of its model and the stored result."""
        self._variant, self._scene, self._result = variant, None, None
        if variant is not None:
            self.combo.choose(remembered(self._workspace.settings, variant.model_name))
        self.refresh()

    def show_scene(self, scene: Scene | None) -> None:
        """Set the graph that is shown."""
        self._scene = scene
        self._explain()

    def showEvent(self, event: QShowEvent) -> None:
        """Offer the chips that there are now."""
        super().showEvent(event)
        self.refresh()

    def on_event(self, event: object) -> None:
        """Follow the jobs of the view."""
        self.strip.on_event(event)

    def refresh(self) -> None:
        """Read the chips, what their compilers lack, and the newest result."""
        if not self.isVisible():
            return
        self.combo.show_chips(chip_lines(self._workspace.plugins))
        self.form.refresh()
        if self._variant is not None and not self.combo.chip:
            self.combo.choose(remembered(self._workspace.settings, self._variant.model_name))
        self._show_newest()
        self._explain()

    def _choose(self) -> None:
        if self._variant is not None:
            remember(self._workspace.settings, self._variant.model_name, self.combo.chip)
        self._show_newest()
        self._explain()

    def _show_newest(self) -> None:
        """Show the newest result of the variant for the chip, or the hint."""
        self._result = self._newest()
        if self._result is None:
            self.hint.title.setText(TITLE)
            self.hint.text.setText(READY if self.combo.chip else CHOOSE)
            self._stack.setCurrentWidget(self.hint)
            return
        self.answer.show_result(self._result, is_drawn=self._is_drawn)
        self._stack.setCurrentWidget(self.answer)

    def _newest(self) -> ChipResult | None:
        if self._variant is None or not self.combo.chip:
            return None
        runs = self._workspace.results.of(STEP, ChipResult, self._variant.id, _MOST_RUNS)
        return next((one.result for one in runs if one.result.chip == self.combo.chip), None)

    @property
    def _is_drawn(self) -> bool:
        """Whether the nodes of the result are those of the graph."""
        result, variant = self._result, self._variant
        return result is not None and variant is not None and result.format == variant.format

    def _explain(self) -> None:
        """Enable what can be done, or disable it with the reason."""
        reason, self._missing = self._lacks()
        busy = _BUSY if self.strip.running else ""
        self.state.setText(missing_sentence(self._missing) if self._missing else reason)
        self.state.setVisible(bool(self.state.text()))
        self.install.setVisible(bool(self._missing))
        set_enabled(self.install, busy)
        first = "Install the compiler first." if self._missing else ""
        chip = "" if self.combo.chip else "Choose a chip first."
        set_enabled(self.check, busy or reason or chip or first)
        self.optimize.setVisible(bool(self.combo.preset))
        self.optimize.setToolTip(plain_tip(_OPTIMIZE))
        self.answer.remedies.withhold(busy)
        result = self._result
        can_paint = self._is_drawn and self._scene is not None and result is not None
        places = result.refused or result.nodes.on_chip if result is not None else ()
        self.answer.paint.setVisible(can_paint and bool(places))

    def _lacks(self) -> tuple[str, Sequence[tuple[Plugin, Environment]]]:
        """Return why the chip does not suit the model, and what has to be installed first."""
        variant, chip = self._variant, self.combo.chip
        if variant is None:
            return "Open a model first.", ()
        reason = self._workspace.why_not(STEP, variant)
        if reason or not chip:
            return reason, ()
        try:
            return "", missing_toolchains(chip, variant.format, self._workspace.plugins)
        except StudioError as error:
            return f"{error.message} {error.hint}".strip(), ()

    # The work

    def run(self) -> None:
        """Start the check with the values of the form."""
        if not self.check.isEnabled() or self._variant is None or not self.form.check():
            return
        options = {**self.form.values(), "for": self.combo.chip}
        self._start(STEP, model=f"#{self._variant.id}", **options)

    def _start(self, step: str, **options: object) -> None:
        self._work, self._subject = step, self._variant.id if self._variant is not None else 0
        self.strip.follow(self._shell.start(step, **options))
        self._explain()

    def _install(self) -> None:
        if self._missing and not self.strip.running:
            plugin, environment = self._missing[0]
            install_accepted(self, environment, partial(self._start, INSTALL, name=plugin.id))

    def _finished(self, outcome: JobOutcome) -> None:
        work = self._work
        if work == INSTALL:
            self.refresh()
            if outcome.ok:
                self._install()  # the next one
        elif work == EDIT and outcome.ok:
            self._shell.notify(f"Saved as {outcome.result.name}. Check it again.", "good")
            self._shell.select(outcome.result.variant)
        elif work == STEP:
            self._show_end(outcome)
        self._explain()

    def _show_end(self, outcome: JobOutcome) -> None:
        """Show the result; that of another variant is a message, as the user went to this one."""
        subject = self._subject
        is_current = self._variant is not None and self._variant.id == subject
        if not is_current:
            if outcome.ok:
                show = MessageAction("Show it", lambda: self._shell.select(subject))
                self._shell.notify(verdict_sentence(outcome.result), "good", show)
        elif outcome.ok:
            self._show_newest()
            if self.isVisible():
                self.paint()
        elif outcome.end.value != "cancelled":
            self.hint.title.setText("The check failed")
            self.hint.text.setText(f"{outcome.sentence} {outcome.hint}".strip())
            self._stack.setCurrentWidget(self.hint)

    # The graph

    def paint(self) -> None:
        """Paint the placement of the nodes."""
        if (overlay := self._overlay()) is not None:
            self.painted.emit(overlay)

    def _overlay(self) -> Overlay | None:
        if self._result is None or self._scene is None or not self._is_drawn:
            return None
        return placement_overlay(self._result, self._scene, self._shell.theming.current)

    def _show_node(self, name: str) -> None:
        """Show a node of the result in the graph, also within a block that is not open."""
        if self._scene is None or not self._is_drawn:
            return
        box = box_of(self._scene, name)
        if box is not None:
            self.chosen.emit(box)
        else:
            self._workspace.events.publish(NodeAsked(name))

    def _take(self, remedy: ChipRemedy) -> None:
        """Do what a remedy proposes."""
        if self._variant is None or self.strip.running:
            return
        if remedy.preset:
            self._open_preset(remedy.preset)
        elif remedy.edits:
            self._start(EDIT, model=f"#{self._variant.id}", edit=list(remedy.edits))
        elif remedy.keep:
            self._floats.keep(remedy.keep, figures.count(len(remedy.keep), "node"))

    def _open_preset(self, name: str) -> None:
        """Open the Optimize page with a preset; a plugin may name one that is not here."""
        if all(one.name != name for one in self._workspace.presets.all()):
            self._shell.notify(f"This studio has no preset {name}.", "warning")
            return
        self._shell.go("quantize")
        self._workspace.events.publish(PresetAsked(name, self.combo.chip))

    def _optimize(self) -> None:
        """Open the Optimize page with the preset of the chip, for the chip."""
        self._open_preset(self.combo.preset)


def _fields(options: Sequence[Option]) -> list[Option]:
    """Return the options of the form: the data first, and what few users need behind them."""
    plain = [one for one in options if one.kind is Kind.DATA]
    rare = [replace(one, advanced=True) for one in options if one.name in _RARE]
    return [*plain, *rare]
