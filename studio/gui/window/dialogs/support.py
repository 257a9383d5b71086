"""Saving of a support archive: collected, shown as a list, written to the chosen file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from studio.workspace.diagnosis import examine
from studio.workspace.support import SupportArchive

if TYPE_CHECKING:
    from studio.gui.shell import WindowParts

_NAME = "edgewright-support.zip"


class ArchiveList(QMessageBox):
    """The dialog that lists the content of an archive and asks whether to save it."""

    def __init__(self, archive: SupportArchive, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Support archive")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText("These files are saved into one archive. Nothing is sent.")
        self.setInformativeText("\n".join(archive.listing))
        save = QMessageBox.StandardButton.Save
        self.setStandardButtons(save | QMessageBox.StandardButton.Cancel)
        self.setDefaultButton(save)

    @property
    def is_wanted(self) -> bool:
        """Whether the user chose to save."""
        return self.standardButton(self.clickedButton()) is QMessageBox.StandardButton.Save


def save_support_archive(window: WindowParts) -> None:
    """Gather the archive in the background and offer it."""
    paths = window.workspace.paths
    window.workspace.in_background(
        lambda: SupportArchive.collect(paths, list(examine())), partial(offer, window)
    )


def offer(window: WindowParts, archive: SupportArchive | Exception) -> None:
    """Show the content of an archive, and save it to the chosen file."""
    if isinstance(archive, Exception):
        window.fail(archive)
        return
    dialog = ArchiveList(archive, window.widget)
    dialog.exec()
    if not dialog.is_wanted:
        return
    chosen, _filter = QFileDialog.getSaveFileName(
        window.widget, "Save a support archive", _NAME, "Archives (*.zip)"
    )
    if chosen:
        path = Path(chosen)
        window.workspace.in_background(partial(archive.write, path), partial(_report, window, path))


def _report(window: WindowParts, path: Path, outcome: Exception | None) -> None:
    if outcome is None:
        window.notify(f"The support archive is {path}. Nothing was sent.", "good")
    else:
        window.fail(outcome)
