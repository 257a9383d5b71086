"""The rail names what came of each stage, and the step that is next."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from pytestqt.qtbot import QtBot

from studio.gui.window.main_window import MainWindow
from studio.gui.window.rail import LEAST_HEIGHT, RESULT_HEIGHT, StageState
from tests.gui.conftest import DIGITS


def results(window: MainWindow) -> dict[str, str]:
    return {one.stage.id: one.result for one in window.rail.buttons() if one.result}


def show(window: MainWindow, qtbot: QtBot) -> dict[str, str]:
    """The results once the rail has read what is new."""
    window.show_current()
    soon = window._progress._soon
    assert soon.isActive()
    qtbot.waitUntil(lambda: not soon.isActive())
    return results(window)


def test_a_new_model_has_its_nodes_and_is_to_be_optimized(
    digits_window: MainWindow, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: "project" in results(digits_window))
    assert results(digits_window) == {"project": "5 of 5", "model": "7 nodes", "quantize": "next"}


def test_a_profile_is_named_by_its_median(digits_window: MainWindow, qtbot: QtBot) -> None:
    registry = digits_window.workspace.registry
    row = {"id": "a", "variant_id": 1, "latency_ms": {"p50": 11.9}}
    registry.add_run("profile", 1, {}, {"mode": "latency", "runs": [row]})
    found = show(digits_window, qtbot)
    assert found["profile"] == "11.9 ms"
    assert found["quantize"] == "next"


def test_a_profile_of_another_form_is_left_out(digits_window: MainWindow, qtbot: QtBot) -> None:
    registry = digits_window.workspace.registry
    registry.add_run("profile", 1, {}, {"runs": [{"latency_ms": "fast"}]})
    assert show(digits_window, qtbot)["quantize"] == "next"


@pytest.mark.parametrize(("height", "wanted"), [(600, LEAST_HEIGHT), (800, RESULT_HEIGHT)])
def test_all_stages_fit(digits_window: MainWindow, qtbot: QtBot, height: int, wanted: int) -> None:
    digits_window.resize(QSize(1280, height))
    buttons = digits_window.rail.buttons()
    qtbot.waitUntil(lambda: buttons[-1].geometry().bottom() <= digits_window.rail.height())
    assert buttons[1].height() >= wanted


def test_a_project_that_lacks_something_is_no_success(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    model = Path(shutil.copy(DIGITS, tmp_path / "alone.onnx"))
    window.open_model(model)
    project = window.rail.buttons()[0]
    qtbot.waitUntil(lambda: "incomplete" in project.accessibleName(), timeout=30_000)
    assert project.state is StageState.WARNING
    assert project.result != "5 of 5"
