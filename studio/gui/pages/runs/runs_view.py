"""The runs of pipelines: a list, and of one its gates, steps, digests and report."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from studio.api import StudioError
from studio.gui.pages.shared import run_rows as rows
from studio.gui.pages.shared.stage_page import StateRows
from studio.gui.shell import Shell
from studio.gui.widgets.basics import (
    GRID,
    Card,
    ElidedLabel,
    FieldList,
    Hint,
    Pill,
    Scroll,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.list_or_hint import ListOrHint
from studio.gui.widgets.sortable import SortableTable
from studio.gui.widgets.tables import framed
from studio.gui.widgets.two_columns import TwoColumns
from studio.workspace import RunChanged, RunInfo

if TYPE_CHECKING:
    from studio.pipelines.results import RunComparison
    from studio.workspace import RunningPipeline, Workspace

DETAIL_WIDTH = 57 * GRID
NARROW = 120 * GRID
"""Pixels below which the details are below the list."""

_SOON_MS = 150
_NEVER = (
    "A pipeline runs all steps from a model to a target. A failed gate stops it "
    "before the deployment. Every sample has a pipeline, and actions under "
    "History can be saved as one."
)


class RunsView(QWidget):
    """The list at the left, the chosen run at the right.

    Signals:
        busy: Whether a pipeline runs.
        chosen_file: A pipeline that is to be run.
    """

    busy = Signal(bool)
    chosen_file = Signal(object)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self.workspace, self.shell = workspace, shell
        self.running: RunningPipeline | None = None
        self._runs: dict[str, RunInfo] = {}
        self._reading = self._again = False
        self.table = SortableTable(rows.COLUMNS, (), rows.WIDTHS, "Runs of pipelines")
        self.strip = _Strip(self._stop)
        self.detail = RunDetail(self._resume, self._retell, self._compare)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SOON_MS)
        self._timer.timeout.connect(self._read)
        self.empty = Hint("No pipeline runs yet", _NEVER, "Run the digits sample", self._sample)
        self._build()
        self.table.chosen.connect(self._chosen)

    def _build(self) -> None:
        left = QWidget()
        layout = QVBoxLayout(left)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2 * GRID)
        layout.addWidget(framed(self.table), 1)
        layout.addWidget(self.strip)  # below: a run that starts moves no row
        self.detail.setMinimumWidth(DETAIL_WIDTH)
        columns = TwoColumns(left, self.detail, (1, 1), NARROW)
        columns.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.stack = ListOrHint(self, columns, self.empty)

    def _retell(self, run: RunInfo | None) -> None:
        """Show the last thing that a run did, with all that led there."""
        if run is None:
            return
        actions = self.workspace.registry.ledger.actions()
        found = next((one.id for one in actions if one.source == f"recipe {run.id}"), 0)
        if found:
            self.shell.show_action(found)
        else:
            self.shell.notify("All steps were cached.")

    # What runs

    def follow(self, running: RunningPipeline) -> None:
        """Follow the progress of a pipeline."""
        self.running = running
        self.strip.begin(running.id)
        self.busy.emit(True)
        self.refresh()
        self._wanted = running.id

    def on_event(self, event: object) -> None:
        """Follow the shown run in the workspace's events."""
        if not isinstance(event, RunChanged) or self.running is None:
            return
        if event.run != self.running.id:
            return
        if event.state == "running":
            if event.number:
                self.strip.show_step(event.step, event.number, event.total)
            return
        ended, self.running = self.running, None
        self.strip.hide()
        self.busy.emit(False)
        if ended.error is not None:
            self.shell.fail(ended.error)
        else:
            self._notify_state(event.state)

    def _notify_state(self, state: str) -> None:
        sentences = {
            "succeeded": ("The pipeline succeeded. All gates passed.", "good"),
            "gate not met": ("A gate failed. The deployment steps after it did not run.", "bad"),
            "failed": ("A step failed. You can resume the run from there.", "bad"),
            "cancelled": ("The run was stopped. You can resume it from there.", "warning"),
        }
        text, tone = sentences.get(state, (f"The pipeline is {state}.", ""))
        self.shell.notify(text, tone)

    def _stop(self) -> None:
        if self.running is not None:
            self.running.cancel()

    def _resume(self, run: RunInfo) -> None:
        try:
            self.follow(self.workspace.runs.start_again(run.id))
        except StudioError as error:
            self.shell.fail(error)

    def _sample(self) -> None:
        from studio.settings import resource

        self.chosen_file.emit(Path(resource("samples", "digits", "pipeline.toml")))

    # What was run

    _wanted = ""

    def refresh(self) -> None:
        """Read the runs again, soon and off the window's thread."""
        if not self._timer.isActive():
            self._timer.start()

    def _read(self) -> None:
        if self._reading:
            self._again = True
            return
        self._reading = True
        self.workspace.in_background(self.workspace.runs.all, self._show)

    def _show(self, found: list[RunInfo] | Exception) -> None:
        self._reading = False
        if self._again:
            self._again = False
            self.refresh()
        if isinstance(found, Exception):
            self.shell.fail(found)
            return
        self._runs = {run.id: run for run in found}
        self.stack.show_list(bool(found or self.running))
        self.table.show_rows(map(rows.run_row, found))
        chosen = self._wanted or self.table.selected() or (found[0].id if found else None)
        self._wanted = ""
        self.table.select(chosen)
        if chosen in self._runs:
            self._chosen(chosen)

    def _chosen(self, key: Hashable) -> None:
        run = self._runs.get(str(key))
        if run is not None:
            others = [one for one in self._runs.values() if one.id != run.id]
            self.detail.show_run(run, others, is_running=self.running is not None)

    def _compare(self, run: RunInfo, other: str) -> None:
        try:
            self.detail.show_comparison(self.workspace.runs.compare(other, run.id))
        except StudioError as error:
            self.shell.fail(error)


class _Strip(QFrame):
    """Which step of a pipeline runs, and the button that stops it."""

    def __init__(self, stop: Callable[[], None]) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self.setAccessibleName("Running pipeline")
        self.text = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(16 * GRID)
        self.stop = button("Stop", stop, "link")
        layout = row(self.text, self.bar, self.stop, spacing=2 * GRID)
        layout.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        self.setLayout(layout)
        self.hide()

    def begin(self, run: str) -> None:
        self.text.setText(f"Starting {run}…")
        self.bar.setRange(0, 0)
        self.show()

    def show_step(self, step: str, number: int, total: int) -> None:
        self.text.setText(f"Step {number} of {total}: {step}")
        self.bar.setRange(0, total)
        self.bar.setValue(number - 1)


class RunDetail(Scroll):
    """The details of one run.

    Args:
        resume: Called with a run to resume.
        retell: Called with a run that is to be shown as one pipeline.
        compare: Called with a run and the id of the run to compare it with.
    """

    def __init__(
        self,
        resume: Callable[[RunInfo], None],
        retell: Callable[[RunInfo | None], None],
        compare: Callable[[RunInfo, str], None],
    ) -> None:
        super().__init__(margin=0)
        self._resume, self._compare = resume, compare
        self.run: RunInfo | None = None
        self._key: tuple[object, ...] = ()
        self.title = label("", "section", wrap=True)
        self.state = Pill("")
        self.fields = FieldList()
        self.report = button("Open the report", self._open_report)
        self.again = button("Resume", self._resume_shown)
        self.pipeline = button("Show as pipeline", lambda: retell(self.run))
        self.pipeline.setToolTip("Shows the pipeline of this run under History.")
        self.gates = StateRows("Gates")
        self.steps = StateRows("Steps")
        self.made = FieldList()
        self.others = QComboBox()
        self.others.setAccessibleName("Run to compare with")
        self.others.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.against = button("Compare", self._compare_chosen)
        self.table = SortableTable(
            ("", "Before", "This run", "Change"), (), (0, 96, 96, 80), "Two runs"
        )
        self._build()

    def _build(self) -> None:
        head = Card()
        top = row(self.title, self.state)
        top.setStretch(0, 1)
        head.body.addLayout(top)
        head.body.addWidget(self.fields)
        head.body.addLayout(row(self.report, self.pipeline, self.again, None))
        self.gates_card, steps, made = Card("Gates"), Card("Steps"), Card("Digests (SHA-256)")
        self.gates_card.body.addWidget(self.gates)
        steps.body.addWidget(self.steps)
        self.made_card = made
        made.body.addWidget(self.made)
        self.compare_card = Card("Compare with")
        choose = row(self.others, self.against)
        choose.setStretch(0, 1)
        self.compare_card.body.addLayout(choose)
        self.compare_card.body.addWidget(self.table)
        self.table.setMinimumHeight(30 * GRID)
        self.table.hide()
        for card in (head, self.gates_card, steps, made, self.compare_card):
            self.body.addWidget(card)
        self.body.addStretch(1)

    def show_run(self, run: RunInfo, others: list[RunInfo], *, is_running: bool) -> None:
        """Show a run; where nothing has changed, nothing moves."""
        key = (run.id, run.state, tuple(step.state for step in run.steps), len(others), is_running)
        if key == self._key:
            return
        if self.run is None or self.run.id != run.id:
            self.table.hide()
        self.run, self._key = run, key
        self.title.setText(run.title or run.name)
        self.state.show_state(rows.state_word(run.state), rows.TONES.get(run.state, ""))
        self.fields.show_fields(rows.run_fields(run))
        self.gates.show_rows(rows.gate_rows(run))
        self.gates_card.setVisible(bool(run.gates))
        self.steps.show_rows(rows.step_rows(run))
        self.made.show_fields(rows.artefact_fields(run))
        self.made_card.setVisible(bool(run.artefacts))
        set_enabled(self.report, "" if run.report.is_file() else "This run has no report yet.")
        self.again.setVisible(run.state in ("interrupted", "failed", "cancelled"))
        set_enabled(
            self.again,
            "A pipeline is running. Wait for it to finish or stop it." if is_running else "",
        )
        self.others.clear()
        for other in sorted(others, key=lambda one: one.name != run.name):
            self.others.addItem(
                f"{other.name}, {rows.local(other.started)}, {rows.state_word(other.state)}",
                other.id,
            )
        self.compare_card.setVisible(bool(others))

    def show_comparison(self, found: RunComparison) -> None:
        """Show how the run differs from another."""
        self.table.show_rows(rows.comparison_rows(found))
        self.table.show()

    def _resume_shown(self) -> None:
        if self.run is not None:
            self._resume(self.run)

    def _compare_chosen(self) -> None:
        if self.run is not None and self.others.currentData():
            self._compare(self.run, str(self.others.currentData()))

    def _open_report(self) -> None:
        if self.run is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.run.report)))
