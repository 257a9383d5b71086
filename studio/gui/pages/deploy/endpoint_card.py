"""The address of the release that serves on a target, with a call to copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from studio.api import TargetSpec
from studio.gui.pages.deploy import rows
from studio.gui.pages.shared import target_rows
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, ElidedLabel, button, label, row

if TYPE_CHECKING:
    from studio.workspace import VariantRecord


class EndpointCard(Card):
    """Address and example call; hidden where nothing serves.

    Args:
        variant_of: Returns the variant of a version by the version's number.
    """

    def __init__(
        self, shell: Shell, variant_of: Callable[[int | None], VariantRecord | None]
    ) -> None:
        super().__init__()
        self._shell = shell
        self._variant_of = variant_of
        self.endpoint = ElidedLabel()
        self.curl = ElidedLabel()
        self.curl.setProperty("role", "mono")
        copy = button("Copy", self.copy)
        copy.setToolTip("Copy a curl command for this endpoint.")
        copy.setAccessibleName("Copy the call")
        tried = button("Try it", lambda: shell.go("try"))
        tried.setToolTip("Send images to this release and show the results.")
        layout = row(label("Endpoint", "dim"), self.endpoint, 2 * GRID, self.curl, copy, tried)
        layout.setStretch(3, 1)
        self.endpoint.setMinimumWidth(24 * GRID)
        self.body.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        self.body.addLayout(layout)

    def show_target(self, target: TargetSpec, running: target_rows.RunningRelease) -> None:
        """Show where the release of a target answers."""
        self.setVisible(bool(running.endpoint))
        if running.release is not None and running.endpoint:
            self.endpoint.setText(running.endpoint)
            variant = self._variant_of(running.release.version)
            self.curl.setText(rows.curl(target, running.release, variant))

    def copy(self) -> None:
        """Copy the call."""
        QGuiApplication.clipboard().setText(self.curl.full_text())
        self._shell.notify("Call copied.")
