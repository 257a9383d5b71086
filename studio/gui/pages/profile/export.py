"""The button that writes a profile into a file."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton

from studio.gui.shell import Shell
from studio.gui.widgets.basics import set_enabled

if TYPE_CHECKING:
    from studio.workspace import RunningJob, Workspace

STEP = "profile-export"
FORMATS = {
    ".html": "Report (HTML, one file)…",
    ".csv": "Table (CSV)…",
    ".json": "Everything (JSON)…",
    ".png": "Figure (PNG)…",
    ".pdf": "Figure (PDF)…",
    ".svg": "Figure (SVG)…",
}
"""What can be written, by the file's suffix."""


class ProfileExport(QPushButton):
    """The menu of export formats for the profile that is shown."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__("Export")
        self._workspace = workspace
        self._shell = shell
        self._run: int | None = None
        self._running: list[tuple[RunningJob, tempfile.TemporaryDirectory[str]]] = []
        self.setProperty("kind", "quiet")
        self.setAccessibleName("Export the profile")
        menu = QMenu(self)
        for suffix, title in FORMATS.items():
            menu.addAction(title, partial(self.choose_file, suffix))
        self.setMenu(menu)
        self.show_run(None)

    def show_run(self, run: int | None) -> None:
        """Set another profile."""
        self._run = run
        set_enabled(self, "" if run is not None else "No profile to export yet.")

    def choose_file(self, suffix: str) -> None:
        """Open the dialog for the file's path, and start the export."""
        if self._run is None:
            return
        kind = f"{suffix[1:].upper()} (*{suffix})"
        name = f"profile-{self._run}{suffix}"
        path, _ = QFileDialog.getSaveFileName(self, "Export the profile", name, kind)
        if path:
            self.write(Path(path if path.endswith(suffix) else path + suffix))

    def write(self, path: Path) -> None:
        """Start to write; what becomes of it is said when the job has ended."""
        if self._run is None:
            return
        folder = tempfile.TemporaryDirectory(prefix="edgewright-export-")
        profile = self._workspace.profiles.save(self._run, Path(folder.name))
        job = self._shell.start(STEP, profile=str(profile), out=str(path))
        if job is not None:
            self._running.append((job, folder))
        else:
            folder.cleanup()

    def on_event(self, event: object) -> None:
        """Follow the jobs."""
        for one in list(self._running):
            job, folder = one
            if getattr(event, "job", None) is not job or job.outcome is None:
                continue
            self._running.remove(one)
            folder.cleanup()
            if job.outcome.ok:
                self._shell.notify(f"Profile exported to {job.outcome.result.output}.", "good")
