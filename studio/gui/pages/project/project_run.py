"""The run of a project's pipeline, from the click on *Run it all* to what came of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.api import StudioError
from studio.gui.shell import MessageAction
from studio.workspace import RunChanged, RunEnd, run_end

if TYPE_CHECKING:
    from studio.gui.shell import Shell
    from studio.workspace import RunInfo, RunningPipeline, VariantRecord, Workspace

RUNNING, DONE, FAILED = "running", "done", "failed"
_STOPPING = "Stopping…"

_PARTS = {"package": "deploy", "call": "deploy"}
"""The stage of a step that has none of its own name."""


class ProjectRun(QObject):
    """At most one run at a time of the current model's pipeline.

    Signals:
        changed: It began, went on or ended.
        served: Number of the variant that is served at its end.

    Attributes:
        states: ``running``, ``done`` or ``failed`` by stage, of the current run.
        text: Where it is (``Step 2 of 6: Profile``); empty without a run.
        done, total: Steps that have ended, of all.
    """

    changed = Signal()
    served = Signal(int)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace, self._shell = workspace, shell
        self._running: RunningPipeline | None = None
        self._is_ending = False
        self.states: dict[str, str] = {}
        self.text = ""
        self.done = self.total = 0

    @property
    def is_running(self) -> bool:
        """Whether a run is active."""
        return self._running is not None

    def start(self, variant: VariantRecord) -> None:
        """Run the pipeline of a variant's model; an error is shown."""
        if self.is_running:
            return
        try:
            self._running = self._workspace.project_runs.start(variant)
        except StudioError as error:
            self._shell.fail(error)
            return
        self.states, self.text, self.done, self.total = {}, "Run it all begins…", 0, 0
        self.changed.emit()

    def cancel(self) -> None:
        """End the step that runs, and begin no other."""
        if self._running is not None and self.text != _STOPPING:
            self.text = _STOPPING
            self._running.cancel()
            self.changed.emit()

    def on_event(self, event: object) -> None:
        """Follow the run in the workspace's events."""
        running = self._running
        if not isinstance(event, RunChanged) or running is None or event.run != running.id:
            return
        if event.state == RUNNING:
            self._went_on(event)
        elif not self._is_ending:
            self._is_ending = True
            read = partial(self._workspace.runs.get, running.id)
            self._workspace.in_background(read, self._ended)

    def _went_on(self, event: RunChanged) -> None:
        assert self._running is not None
        step = self._running.steps.get(event.step, event.step)
        stage = _PARTS.get(step, step)
        if event.number:
            self.done, self.total = event.number - 1, event.total
            title = self._workspace.steps[step].title
            self.text = f"Step {event.number} of {event.total}: {title}"
        is_over = not event.number and step not in ("package", "deploy")
        self.states[stage] = DONE if is_over else RUNNING
        self.changed.emit()

    def _ended(self, found: RunInfo | Exception) -> None:
        self._running, self._is_ending = None, False
        self.states, self.text = {}, ""
        self.changed.emit()
        if isinstance(found, Exception):
            self._shell.fail(found)
            return
        end = run_end(found)
        if end.served:
            self._workspace.endpoints.chosen = end.target
            self.served.emit(end.variant)
        self._shell.notify(end.text, end.tone, self._action(end))

    def _action(self, end: RunEnd) -> MessageAction:
        if end.served:
            return MessageAction("Try it", partial(self._shell.go, "try"))
        return MessageAction("Details", partial(self._shell.go, "runs"))
