"""The question at the first contact with a board: is this its host key?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QVBoxLayout

from studio.api import TargetSpec
from studio.gui.widgets.basics import GRID, button, label, row, set_enabled

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

ON_THE_BOARD = "ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub"


class HostKeyPanel(QFrame):
    """The fingerprint of a board; the key is trusted only after a person compared it.

    Signals:
        trusted: Name of the target whose key was confirmed and kept.
    """

    trusted = Signal(str)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.setProperty("role", "banner")
        self.setProperty("tone", "warning")  # the same strip at the left as the window's banner
        self.setAccessibleName("Confirm the board's host key")
        self._workspace = workspace
        self._target: TargetSpec | None = None
        self._key = ""
        self.title = label("", "section")
        self.fingerprint = label("", "mono")
        self.command = label("", "mono")
        for text in (self.fingerprint, self.command):
            text.setTextInteractionFlags(
                Qt.TextInteractionFlag.TextSelectableByMouse
                | Qt.TextInteractionFlag.TextSelectableByKeyboard
            )
        self.compared = QCheckBox("The fingerprint matches the board")
        self.trust = button("Trust this key", self._trust)
        self.dismiss = button("Not now", self.hide, "link")
        self.compared.toggled.connect(self._explain)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addWidget(self.fingerprint)
        layout.addWidget(label("Show the fingerprint on the board with", "dim"))
        layout.addWidget(self.command)
        layout.addLayout(row(self.compared, GRID, self.trust, self.dismiss, None))
        self.hide()

    def present(self, target: TargetSpec, fields: Mapping[str, Any]) -> None:
        """Show the key that a target presented, as ``UnknownHost`` carries it."""
        self._target = target
        self._key = str(fields.get("key", ""))
        kind = self._key.partition(" ")[0].removeprefix("ssh-").partition("-")[0] or "ed25519"
        self.title.setText(f"First connection to {target.name}: verify its host key")
        self.fingerprint.setText(str(fields.get("fingerprint", "")))
        self.command.setText(ON_THE_BOARD.format(kind=kind))
        self.compared.setChecked(False)
        self._explain()
        self.show()
        self.compared.setFocus()

    def present_if_unknown(self, target: TargetSpec, outcome: JobOutcome) -> bool:
        """Show the key if a job failed because it was never confirmed; return whether it did."""
        if outcome.error != "UnknownHost" or not outcome.fields.get("key"):
            return False
        self.present(target, outcome.fields)
        return True

    def _explain(self) -> None:
        reason = (
            "" if self.compared.isChecked() else "Compare the fingerprint with the board first."
        )
        set_enabled(self.trust, reason)

    def _trust(self) -> None:
        if self._target is None or not self.compared.isChecked():
            return
        self._workspace.add_target(replace(self._target, host_key=self._key))
        self.hide()
        self.trusted.emit(self._target.name)
