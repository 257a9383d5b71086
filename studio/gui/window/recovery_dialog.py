"""The dialog of a start without a registry: one sentence, and the way back to a copy."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from studio.api import StudioError
from studio.workspace import Workspace
from studio.workspace.maintenance import DamagedRegistry, Maintenance


class RecoveryDialog(QMessageBox):
    """Says why the workspace cannot be opened; offers to restore the registry's last copy.

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
    """The user's workspace, put back from a copy where that is needed and wanted.

    Raises:
        StudioError: when it cannot be opened; the user has been told.
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
