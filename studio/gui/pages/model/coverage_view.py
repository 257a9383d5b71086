"""The compatibility check of the current variant with a runtime's release or a target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHeaderView, QStackedWidget, QVBoxLayout, QWidget

from studio.api import Kind, Option
from studio.gui import figures
from studio.gui.forms.editors import Choice
from studio.gui.forms.form import Form
from studio.gui.graph.overlay import Overlay, state_overlay
from studio.gui.graph.scene import Scene
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Hint, Pill, button, label, row, set_enabled
from studio.gui.widgets.tables import Table
from studio.workspace import nodes_within

if TYPE_CHECKING:
    from studio.models.results import CoverageResult, Problem
    from studio.workspace import JobOutcome, VariantRecord, Workspace

STEP = "coverage"
HOW = (
    "Choose an ONNX Runtime release, a probed target or a board type. Default: the newest release."
)
FAULT = "incompatible"
_FORM_WIDTH = 36 * GRID


class CoverageView(QWidget):
    """A view that runs the check, lists its findings and paints the nodes at fault.

    Signals:
        painted: The overlay of the nodes at fault; None without any.
        chosen: The first box of the problem whose line was selected.
    """

    painted = Signal(object)
    chosen = Signal(int)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace = workspace
        self._shell = shell
        self._variant: VariantRecord | None = None
        self._scene: Scene | None = None
        self._problems: tuple[Problem, ...] = ()
        options = workspace.steps[STEP].form
        self.form = Form([one for one in options if one.kind is not Kind.MODEL], self)
        self.check = button("Check", self.run)
        self.strip = JobStrip()
        self.verdict = Pill("")
        self.sentence = label("", wrap=True)
        self.table = Table(("Problem", "Fix", "Nodes"), (2,), 0, "Problems")
        self.table.setWordWrap(True)
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.hint = Hint("Compatibility", HOW)
        self._stack = QStackedWidget()
        self._build()
        self.form.submitted.connect(self.run)
        self.strip.finished.connect(self._finished)
        self.table.itemSelectionChanged.connect(self._selected)

    def _build(self) -> None:
        asked = QWidget()
        asked.setFixedWidth(_FORM_WIDTH)
        left = QVBoxLayout(asked)
        left.setContentsMargins(0, 0, 0, 0)
        left.addWidget(self.form)
        left.addLayout(row(self.check, None))
        left.addStretch(1)
        answer = QWidget()
        right = QVBoxLayout(answer)
        right.setContentsMargins(0, 0, 0, 0)
        right.addLayout(row(self.verdict, self.sentence))
        right.addWidget(self.table, 1)
        right.addStretch(0)
        self._answer, self._room = answer, right
        for item in (self.hint, answer):
            self._stack.addWidget(item)
        side = QVBoxLayout()
        side.setSpacing(GRID)
        side.addWidget(self.strip)
        side.addWidget(self._stack, 1)
        layout = row(asked, spacing=3 * GRID)
        layout.addLayout(side, 1)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        self.setLayout(layout)

    def choices(self, option: Option) -> Sequence[Choice] | None:
        """Return the targets that there are, for the form."""
        if option.kind is not Kind.TARGET:
            return None
        return [(target.name, target.name) for target in self._workspace.registry.targets()]

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Show another variant, which was not checked yet."""
        self._variant, self._scene, self._problems = variant, None, ()
        reason = self._workspace.why_not(STEP, variant)
        set_enabled(self.check, reason)
        self.hint.text.setText(reason or HOW)
        self._stack.setCurrentWidget(self.hint)

    def show_scene(self, scene: Scene | None) -> None:
        """Set the graph that is shown."""
        self._scene = scene

    def showEvent(self, event: QShowEvent) -> None:
        """Offer the targets that there are now."""
        super().showEvent(event)
        self.form.refresh()

    def on_event(self, event: object) -> None:
        """Follow the check."""
        self.strip.on_event(event)

    def run(self) -> None:
        """Start the check with the values of the form."""
        if self._variant is None or self.strip.running or not self.form.check():
            return
        options = {**self.form.values(), "model": f"#{self._variant.id}"}
        self.strip.follow(self._shell.start(STEP, **options))

    def paint(self) -> None:
        """Paint the nodes at fault of the selected problem, or of all."""
        self.painted.emit(self._overlay())

    def _finished(self, outcome: JobOutcome) -> None:
        if not outcome.ok:
            return  # the window has said why
        result: CoverageResult = outcome.result
        self._problems = result.problems
        self.verdict.show_state(
            *(("compatible", "good") if result.covered else ("incompatible", "bad"))
        )
        takes = f"Needs about {figures.size(1e6 * result.memory_mb)} of memory."
        count = figures.count(len(self._problems), "problem")
        found = f"{count} found" if self._problems else "Compatible"
        notes = "".join(f" {note}" for note in result.notes or ())
        self.sentence.setText(f"{found} with {result.where}. {takes}{_others(result)}{notes}")
        self.table.blockSignals(True)
        self.table.show_rows(
            (one.text, one.hint, str(len(one.nodes) or "all")) for one in self._problems
        )
        self.table.blockSignals(False)
        self.table.resizeRowsToContents()
        self.table.setVisible(bool(self._problems))
        self._room.setStretch(2, 0 if self._problems else 1)
        self._stack.setCurrentWidget(self._answer)
        self.paint()

    def _boxes(self) -> list[int]:
        """Return the boxes at fault, those of the selected problem alone where there is one."""
        at = self.table.currentRow()
        chosen = (self._problems[at],) if 0 <= at < len(self._problems) else self._problems
        names = {name for one in chosen for name in one.nodes}
        boxes = self._scene.boxes if self._scene is not None else ()
        return [
            index
            for index, box in enumerate(boxes)
            if box.node is not None and not names.isdisjoint(nodes_within(box.node))
        ]

    def _overlay(self) -> Overlay | None:
        found = self._boxes()
        if not found:
            return None
        color = self._shell.theming.current.graph_color("activation")
        return state_overlay("Compatibility", dict.fromkeys(found, FAULT), {FAULT: color})

    def _selected(self) -> None:
        self.paint()
        found = self._boxes()
        if found:
            self.chosen.emit(found[0])


def _others(result: CoverageResult) -> str:
    """Return the sentence about the other systems of a board."""
    others = ", ".join(
        f"{one.name}: {'compatible' if one.covered else 'incompatible'}"
        for one in result.other_systems
    )
    return f" Other systems of this board: {others}." if others else ""
