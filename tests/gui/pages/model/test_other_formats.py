"""A model of another format in the window: its graph is there, and what cannot be done says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.gui.pages.model.drawer import COVERAGE, EDITS
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from tests.gui.conftest import open_graph

FLOW = Path(__file__).parents[3] / "plugins" / "data" / "openvino" / "flow.xml"
JOB_MS = 30_000


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> ModelPage:
    open_graph(window, qtbot, FLOW)
    shown = window.page()
    assert isinstance(shown, ModelPage)
    return shown


def reason(widget: QWidget) -> str:
    assert not widget.isEnabled()
    return widget.toolTip()


def test_graph_is_shown_and_the_rest_says_why_not(
    page: ModelPage, window: MainWindow, qtbot: QtBot
) -> None:
    scene = page.pane.canvas.scene
    assert scene is not None
    assert [box.title for box in scene.boxes if box.node is not None] == ["If ▸", "Loop ▸"]
    page.show_part("z/body")
    qtbot.waitUntil(lambda: page.pane.canvas.scene is not scene)
    page.drawer.open(EDITS)
    edits = page.drawer.surgery
    assert "OpenVINO IR models cannot be edited" in reason(edits.attempt)
    qtbot.waitUntil(lambda: "OpenVINO IR models cannot be edited" in reason(edits.add))
    page.drawer.open(COVERAGE)
    assert "loads no OpenVINO IR models" in reason(page.drawer.coverage.check)
    window.go("deploy")
    deploy = window.page()
    assert deploy.primary is not None
    qtbot.waitUntil(deploy.primary.isEnabled)  # OpenVINO serves it there
    assert deploy.plan_button.isEnabled()
    window.go("quantize")
    optimize = window.page()
    assert optimize.primary is not None
    qtbot.waitUntil(lambda: "OpenVINO IR models cannot be quantized" in reason(optimize.primary))
