"""The check for a chip in the drawer: chosen, run by a real worker, listed, painted, remedied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.pages.model.chips.view import ChipView
from studio.gui.pages.model.drawer import CHIPS
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from tests.e2e.example_toolchain import installed_studio
from tests.gui.conftest import MakeWindow, open_graph
from tests.rigs import toolchain as rig

pytestmark = [pytest.mark.slow, pytest.mark.needs("bwrap")]

JOB_MS = 60_000
CHIP = "example-chip"
OpenModel = Callable[[str], ChipView]


@pytest.fixture(scope="module")
def chip_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace's folder in which the compiler of the example plugin is installed."""
    return installed_studio(tmp_path_factory.mktemp("chips")).home / "edgewright"


@pytest.fixture
def window(
    make_window: MakeWindow, chip_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MainWindow:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(chip_home))
    (tmp_path / "home").symlink_to(chip_home)
    return make_window()


@pytest.fixture
def open_model(window: MainWindow, tmp_path: Path, qtbot: QtBot) -> OpenModel:
    """``open_model(description)``: the tool Chips of a model that the compiler treats so."""

    def opened(description: str) -> ChipView:
        model = rig.linear_model(hidden=True)
        model.doc_string = description
        for node, name in zip(model.graph.node, ("product", "sum"), strict=True):
            node.name = name
        path = tmp_path / f"{tmp_path.name[-20:]} {description or 'plain'}.onnx"
        onnx.save(model, path)
        open_graph(window, qtbot, path)
        page_of(window).drawer.open(CHIPS)
        return page_of(window).drawer.chips.view

    return opened


def page_of(window: MainWindow) -> ModelPage:
    page = window.page()
    assert isinstance(page, ModelPage)
    return page


def choose(view: ChipView, chip: str = CHIP) -> None:
    view.combo.setCurrentIndex(view.combo.findData(chip))
    view.combo.activated.emit(view.combo.currentIndex())


def check(view: ChipView, qtbot: QtBot) -> None:
    choose(view)
    assert view.check.isEnabled(), view.check.toolTip()
    view.check.click()
    assert view.strip.running
    assert not view.check.isEnabled()
    qtbot.waitUntil(lambda: not view.strip.running, timeout=JOB_MS)


def test_a_model_is_checked_and_the_verdict_is_shown_and_painted(
    open_model: OpenModel, window: MainWindow, qtbot: QtBot
) -> None:
    view = open_model("")
    assert view.hint.isVisible()
    assert view.check.toolTip() == "Choose a chip first."
    check(view, qtbot)
    answer = view.answer
    assert answer.isVisible()
    assert answer.verdict.state == ("runs", "good")
    assert answer.sentence.text() == (
        "All 2 nodes run on Example chip. Simulated, not measured on the device."
    )
    assert not answer.table.isVisible()
    assert not answer.remedies.isVisible()
    overlay = page_of(window).pane.canvas._overlay
    assert overlay is not None
    assert overlay.title == "Placement on Example chip"
    assert dict(overlay.counts) == {"on chip": 2}
    QApplication.processEvents()
