"""The button that copies the table of a study, or writes it into a file."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton

from studio.api import UsageError
from studio.documents.dataclass_json import to_json
from studio.features.fleets.pages.studies import texts
from studio.features.fleets.pages.studies.table import as_csv
from studio.gui import figures
from studio.gui.shell import Shell
from studio.gui.widgets.basics import set_enabled
from studio.profiling.boards.results import StudyResult

if TYPE_CHECKING:
    from studio.workspace import Workspace

FORMATS = {".csv": "Table (CSV)…", ".json": "Everything (JSON)…"}
"""What can be written, by the file's suffix."""


class StudyExport(QPushButton):
    """The menu of export formats for the study that is shown."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__("Export")
        self._workspace = workspace
        self._shell = shell
        self._result: StudyResult | None = None
        self.setProperty("kind", "quiet")
        self.setAccessibleName("Export the study")
        menu = QMenu(self)
        menu.addAction("Copy table as CSV", self.copy)
        for suffix, title in FORMATS.items():
            menu.addAction(title, partial(self.choose_file, suffix))
        self.setMenu(menu)
        self.show_study(None)

    def show_study(self, result: StudyResult | None) -> None:
        """Set another study; None while there is no finished one."""
        self._result = result
        set_enabled(self, "" if result is not None else texts.NOTHING_TO_EXPORT)

    def copy(self) -> None:
        """Put the table on the clipboard."""
        if self._result is not None:
            QGuiApplication.clipboard().setText(as_csv(self._result))
            count = figures.count(len(self._result.boards), "board")
            self._shell.notify(texts.COPIED.format(count), "good")

    def choose_file(self, suffix: str) -> None:
        """Open the dialog for the file's path, and write it."""
        if self._result is None:
            return
        kind = f"{suffix[1:].upper()} (*{suffix})"
        name = f"study-{self._result.study}{suffix}"
        path, _ = QFileDialog.getSaveFileName(self, "Export the study", name, kind)
        if path:
            self.write(Path(path if path.endswith(suffix) else path + suffix))

    def write(self, path: Path) -> None:
        """Write the file in the background; the outcome is a message."""
        if self._result is not None:
            call = partial(_write, self._result, path)
            self._workspace.in_background(call, self._written)

    def _written(self, path: Path | Exception) -> None:
        if isinstance(path, Exception):
            self._shell.fail(path)
        else:
            self._shell.notify(texts.SAVED.format(path), "good")


def _write(result: StudyResult, path: Path) -> Path:
    text = as_csv(result) if path.suffix == ".csv" else json.dumps(to_json(result), indent=1)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "unknown error"
        raise UsageError(f"{path} cannot be written: {reason}.") from None
    return path
