"""The dialog of a start without a registry: one sentence, and the restore of a backup."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from studio.api import StudioError
from studio.workspace import Workspace
from studio.workspace.maintenance import DamagedRegistry, Maintenance


class RecoveryDialog(QMessageBox):
    """The dialog with the reason that the workspace did not open, and the offer to restore.

    Attributes:
        restore: The button that does so; None where there is no copy.
    """

    def __init__(self, error: StudioError, parent: QWidget) -> None:
        super().__init__(parent)
        self.setIcon(QMessageBox.Icon.Critical)
        self.setWindowTitle("Edgewright")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(error.message)
        self.setInformativeText(error.hint)
        self.setDetailedText(error.detail)
        self.restore: QPushButton | None = None
        if isinstance(error, DamagedRegistry) and error.copy is not None:
            text = f"&Restore the copy of {error.copy.day}"
            self.restore = self.addButton(text, QMessageBox.ButtonRole.AcceptRole)
            self.setInformativeText(
                "The copy does not contain later changes. The damaged file is kept."
            )
        self.addButton(QMessageBox.StandardButton.Close)

    @property
    def is_wanted(self) -> bool:
        """Whether the copy was chosen."""
        return self.restore is not None and self.clickedButton() is self.restore


def open_workspace(parent: QWidget) -> Workspace:
    """Return the user's workspace, restored from a copy where needed and confirmed.

    Raises:
        StudioError: when it cannot be opened; the dialog has shown the reason.
    """
    try:
        return Workspace.open()
    except StudioError as error:
        dialog = RecoveryDialog(error, parent)
        dialog.exec()
        if not dialog.is_wanted:
            raise
    Maintenance().restore()
    return Workspace.open()
