"""*Run it all*: from an opened model to a served endpoint, and what is shown when it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.gui.pages.project.page import ProjectPage
from studio.gui.window.main_window import MainWindow
from studio.gui.window.toasts import Toast

RUN_MS = 180_000

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def tidy(window: MainWindow) -> Iterator[None]:
    yield
    window.workspace.run("undeploy", target="local", purge=True)


def click_and_wait(window: MainWindow, page: ProjectPage, qtbot: QtBot) -> Toast:
    """Press *Run it all*; returns the message at the end."""
    qtbot.mouseClick(page.run_all, Qt.MouseButton.LeftButton)
    assert not page.run_all.isEnabled(), "a second run could be started"
    qtbot.waitUntil(lambda: not page.run.is_running, timeout=RUN_MS)
    assert page.run_all.isEnabled()
    qtbot.waitUntil(lambda: bool(window.toasts.shown), timeout=RUN_MS)
    assert len(window.toasts.shown) == 1, "what happened is shown twice"
    return window.toasts.shown[0]


def test_one_click_leads_to_a_served_endpoint(
    window: MainWindow, page: ProjectPage, qtbot: QtBot
) -> None:
    stages = set()
    page.run.changed.connect(lambda: stages.update(page.run.states.items()))
    toast = click_and_wait(window, page, qtbot)
    assert toast.sentence.text() == "digits int8 is served on this computer. 2 checks passed."
    assert window.current.variant is not None
    assert window.current.variant.name == "int8", "the chip is what is served"
    assert {(stage, "running") for stage in ("quantize", "profile", "deploy")} <= stages
    (version,) = window.workspace.registry.versions()
    assert (version.path / "labels.txt").exists()
    assert window.workspace.run("call", target="local", requests=5).document["failed"] == 0
    assert page.primary is not None
    qtbot.waitUntil(lambda: page.primary.text() == "Monitor")
    toast.act.click()
    assert window.page().stage == "try"


def test_what_is_in_the_way_is_named_and_nothing_is_deployed(
    window: MainWindow, page: ProjectPage, folder: Path, qtbot: QtBot
) -> None:
    (folder / "calibration.npz").write_bytes(b"no data")
    toast = click_and_wait(window, page, qtbot)
    assert toast.sentence.text().startswith("Run it all stopped: ")
    assert "calibration.npz" in toast.sentence.text()
    assert window.workspace.registry.versions() == []
    toast.act.click()
    assert window.page().stage == "runs"


def test_it_can_be_cancelled(window: MainWindow, page: ProjectPage, qtbot: QtBot) -> None:
    page.run.changed.connect(lambda: page.run.done >= 1 and page.run.cancel())
    toast = click_and_wait(window, page, qtbot)
    assert "cancelled" in toast.sentence.text()
    assert window.workspace.registry.versions() == []
