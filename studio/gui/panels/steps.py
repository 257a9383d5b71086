"""A step at work for a panel: the workspace's events as the signals of the public surface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from studio.api.qt import RunningStep, StepEnd
from studio.workspace import JobFinished, JobMessage, JobProgressed

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, RunningJob


class FollowedStep(RunningStep):
    """The job of a step, followed to its end."""

    def __init__(self, job: RunningJob, parent: QObject) -> None:
        super().__init__(parent)
        self._job = job

    def cancel(self) -> None:
        """Ask it to stop."""
        self._job.cancel()

    def hear(self, event: object) -> bool:
        """Take what concerns this step out of the workspace's events; True when it has ended."""
        if getattr(event, "job", None) is not self._job:
            return False
        if isinstance(event, JobProgressed):
            state = self._job.state
            self.progressed.emit(float(state.done), float(state.total), state.text)
        elif isinstance(event, JobMessage):
            self.message.emit(event.name, dict(event.values))
        elif isinstance(event, JobFinished) and self._job.outcome is not None:
            self.finished.emit(step_end(self._job.outcome))
            return True
        return False


def step_end(outcome: JobOutcome) -> StepEnd:
    """An outcome in the words of the public surface."""
    return StepEnd(outcome.ok, dict(outcome.result), outcome.sentence, outcome.hint, outcome.error)
