"""A pipeline run by the window, as a user does it, and what came of it."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from studio.gui.pages.runs.page import RunsPage
from studio.gui.window.main_window import MainWindow
from studio.workspace import RunChanged, RunInfo


def run_in_window(window: MainWindow, qtbot: QtBot, pipeline: Path, patience_ms: int) -> RunInfo:
    """Run it on the Runs page; every step must succeed, every gate be met and shown so."""
    window.go("runs")
    page = window.page()
    assert isinstance(page, RunsPage)
    ended: list[RunChanged] = []

    def hear(event: object) -> None:
        if isinstance(event, RunChanged) and event.state != "running":
            ended.append(event)

    window.workspace.events.subscribe(hear)
    page.run(pipeline)
    qtbot.waitUntil(lambda: bool(ended), timeout=patience_ms)
    (run,) = window.workspace.runs.all()
    assert ended[0].state == "succeeded", [step.message for step in run.steps]
    qtbot.waitUntil(lambda: bool(page.runs.detail.gates.rows), timeout=patience_ms)
    assert {one.state for one in page.runs.detail.gates.rows} == {"passed"}
    return run
