"""Screenshots of the Evidence page and its views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from screenshots import save, settle

from studio.features.evidence.pages.evidence.page import EXPLANATIONS_VIEW, GROUPS_VIEW
from studio.features.evidence.survey.facade import Evidence

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from studio.gui.window.main_window import MainWindow
    from studio.workspace import Workspace


def show(application: QApplication, window: MainWindow, workspace: Workspace, theme: str) -> None:
    """Measure and explain once, grab the views behind the first one, and show the first."""
    name = f"#{workspace.registry.variants()[-1].id}"
    if not workspace.registry.runs("explain", most=1):
        workspace.run("groups", model=name, by=["label", "brightness:3"])
        workspace.run("robustness", model=name)
        samples = list(workspace.service(Evidence).samples(int(name[1:])).chosen)
        workspace.run("explain", model=name, sample=samples, sanity=True)
    page = window.page()
    assert page is not None
    settle(application, window, workspace)
    for index, view in ((EXPLANATIONS_VIEW, "explanations"), (GROUPS_VIEW, "groups")):
        page.show_view(index)
        settle(application, window, workspace)
        save(window, f"evidence-{view}", theme)
    page.show_view(0)
    settle(application, window, workspace)
