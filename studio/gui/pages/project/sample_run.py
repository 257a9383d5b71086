"""The run of one sample of the project's data: once for each model with its data."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from studio.gui.pages.project.model_rows import SampleState

if TYPE_CHECKING:
    from studio.gui.shell import Shell
    from studio.projects.results import Project
    from studio.workspace import JobOutcome, RunningJob, VariantRecord, Workspace

STEP = "sample"
_DATA = ("evaluation", "heldout", "calibration")
_LISTS = ("labels", "dictionary")
_LATER_MS = 30
_NO_DATA = "No data. Add calibration or evaluation data to run a sample."


class ProjectSample(QObject):
    """The sample of the current model and its data; it is run in a worker.

    Signals:
        changed: The run has started or ended.

    Attributes:
        state: What is known.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)  # its timer ends with the page
        self._workspace, self._shell = workspace, shell
        self._job: RunningJob | None = None
        self._wanted: tuple[object, ...] = ()
        self.state = SampleState(problem=_NO_DATA)

    def show(self, variant: VariantRecord, project: Project) -> None:
        """Run the sample of a model, unless that was done for the same data and lists."""
        options = _options(project)
        wanted = (variant.id, project.preprocess, tuple(sorted(options.items())))
        if wanted == self._wanted:
            return
        self.cancel()
        self._wanted = wanted
        problem = self._workspace.why_not(STEP, variant) if "data" in options else _NO_DATA
        if problem:
            self._keep(SampleState(problem=problem))
            return
        self.state = SampleState(is_running=True)
        # In a later turn: the project is shown in this one.
        QTimer.singleShot(_LATER_MS, self, partial(self._start, wanted, variant, options))

    def _start(
        self, wanted: tuple[object, ...], variant: VariantRecord, options: Mapping[str, str]
    ) -> None:
        """Start the run, unless another model or other data is shown since."""
        if wanted == self._wanted:
            self._job = self._shell.start(STEP, model=f"#{variant.id}", **options)
            if self._job is None:
                self._keep(SampleState())

    def cancel(self) -> None:
        """End the run of another model or other data; its result is not shown."""
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def on_event(self, event: object) -> None:
        """Take the result when the run has ended."""
        job = self._job
        if job is not None and getattr(event, "job", None) == job and job.outcome is not None:
            self._job = None
            self._keep(_state(job.outcome))

    def _keep(self, state: SampleState) -> None:
        self.state = state
        self.changed.emit()


def _options(project: Project) -> Mapping[str, str]:
    """Return the options of the step that the project has; ``none`` keeps it from other values."""
    data = project.usable(*_DATA)
    options = {"data": data[0]} if data else {}
    for name in _LISTS:
        options[name] = next(iter(project.usable(name)), "none")
    return options


def _state(outcome: JobOutcome) -> SampleState:
    if outcome.ok and outcome.result is not None:
        return SampleState(result=outcome.result)
    return SampleState(problem=outcome.message or "The run ended without a result.")
