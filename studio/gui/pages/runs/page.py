"""The Runs page: pipelines that were run, what was done, and the versions that came of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog

from studio.api import StudioError
from studio.gui import session_state as memory
from studio.gui.pages.runs.actions_view import ActionsView
from studio.gui.pages.runs.runs_view import RunsView
from studio.gui.pages.runs.versions_view import VersionsView
from studio.gui.pages.shared.base import Page
from studio.gui.shell import Shell
from studio.gui.widgets.basics import set_enabled
from studio.workspace import JobFinished, RegistryChanged, RunChanged

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

    from studio.workspace import Workspace

RUNS, HISTORY, VERSIONS = range(3)


class RunsPage(Page):
    """Three views: runs with their gates, the history of what was done, versions."""

    stage = "runs"
    title = "Runs"
    icon = "runs"

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.runs = RunsView(workspace, shell)
        self.history = ActionsView(workspace, shell)
        self.versions = VersionsView(workspace, shell)
        self.add_view("Pipelines", self.runs)
        self.add_view("History", self.history)
        self.add_view("Versions", self.versions)
        self.set_primary("Run pipeline…", self.choose)
        self.add_command("Run pipeline…", self.choose)
        self.add_command("Show the activity", lambda: self.show_view(HISTORY))
        self.add_command("Show the versions", lambda: self.show_view(VERSIONS))
        self.runs.busy.connect(self._explain)
        self.runs.chosen_file.connect(self.run)
        self._stale = True

    def choose(self) -> None:
        """Ask for a pipeline's file and run it."""
        kept = memory.recall(self.workspace.settings).get("pipelines", "")
        chosen, _filter = QFileDialog.getOpenFileName(
            self.header, "Run pipeline", str(kept), "Pipelines (*.toml);;All files (*)"
        )
        if chosen:
            memory.store(self.workspace.settings, pipelines=str(Path(chosen).parent))
            self.run(Path(chosen))

    def run(self, path: Path) -> None:
        """Run a pipeline; what is wrong in it is said, and nothing is run."""
        self.show_view(RUNS)
        try:
            started = self.workspace.runs.start(path)
        except StudioError as error:
            self.shell.fail(error)
            return
        self.runs.follow(started)

    def show_action(self, number: int) -> None:
        """Show something that was done, with the pipeline that repeats it."""
        self.show_view(HISTORY)
        self.history.select(number)

    def refresh(self) -> None:
        """Read again what the views show."""
        self._stale = not self.isVisible()
        if not self._stale:
            for view in (self.runs, self.history, self.versions):
                view.refresh()

    def on_event(self, event: object) -> None:
        """Follow the progress of runs and changes of the registry."""
        self.runs.on_event(event)
        self.versions.on_event(event)
        if isinstance(event, RunChanged | RegistryChanged | JobFinished):
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Show the changes of the time in which the page was hidden."""
        super().showEvent(event)
        if self._stale:
            self.refresh()

    def _explain(self, busy: bool) -> None:
        assert self.primary is not None
        reason = "A pipeline is running. Wait for it to finish or stop it." if busy else ""
        set_enabled(self.primary, reason)
