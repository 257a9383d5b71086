"""A plugin's panel with the window's own host and forms, and a shell that only notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from PySide6.QtWidgets import QWidget

from studio.api.qt import Panel, PanelHost
from studio.gui.panels.host import Host
from studio.jobs import End, JobOutcome, JobProgress
from studio.workspace import JobFinished, JobProgressed
from tests.gui.page_rig import Rig

P = TypeVar("P", bound=Panel)


class PanelPlace(Generic[P]):
    """A panel in a window's place for it.

    Args:
        capability: The panel's ID in its plugin's manifest.
    """

    def __init__(
        self,
        rig: Rig,
        make: Callable[[PanelHost], P],
        plugin: str,
        capability: str,
        model: bool = True,
    ) -> None:
        self.rig = rig
        self.holder = QWidget()
        found = rig.workspace.plugins.plugin(plugin).capabilities
        variant = rig.variant() if model else None
        shell: Any = rig.shell
        panel = next(one for one in found if one.id == capability)
        self.host = Host(rig.workspace, shell, panel, self.holder, lambda: variant)
        self.panel = make(self.host)
        self.panel.setParent(self.holder)
        self.panel.refresh()

    @property
    def job(self) -> Any:
        """The one that was started last."""
        return self.rig.shell.jobs[-1]

    def progress(self, text: str) -> None:
        """The last job says what it does."""
        self.job.state = JobProgress(1, 2, text)
        self.host.on_event(JobProgressed(self.job))

    def finish(self, **result: Any) -> None:
        """The last job succeeds."""
        self._end(JobOutcome(End.SUCCEEDED, result=result))

    def fail(self, sentence: str, hint: str) -> None:
        """The last job does not."""
        self._end(JobOutcome(End.FAILED, message=sentence, hint=hint))

    def _end(self, outcome: JobOutcome) -> None:
        job = self.job
        job.outcome = outcome
        self.host.on_event(JobFinished(job))
