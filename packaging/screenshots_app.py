"""Screenshots of the App page."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from screenshots import APP_S, STUDIO, wait

from studio.features.apps.pages.app.page import AppPage

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from studio.gui.window.main_window import MainWindow
    from studio.workspace import Workspace


def show(application: QApplication, window: MainWindow, workspace: Workspace, theme: str) -> None:
    """Run the traffic sample."""
    folder = workspace.paths.data.parents[1] / "traffic"
    if not folder.is_dir():
        subprocess.run([STUDIO, "samples", "get", "traffic", "--out", str(folder)], check=True)
    page = window.page()
    assert isinstance(page, AppPage)
    page.open_app(folder)
    wait(application, APP_S)
    page.run()
    wait(application, APP_S)
