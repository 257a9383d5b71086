"""A large model in the window: it opens as its layers, each of which is entered and left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.pages.model import page as model
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from tests.benchmarks.generated import transformer, write_onnx
from tests.gui.conftest import open_graph, visible

JOB_MS = 30_000


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> ModelPage:
    path = tmp_path / "transformer.onnx"
    write_onnx(transformer(400), path)
    open_graph(window, qtbot, path)
    shown = window.page()
    assert isinstance(shown, ModelPage)
    return shown


def titles(page: ModelPage) -> list[str]:
    scene = page.pane.canvas.scene
    return [] if scene is None else [box.title for box in scene.boxes if box.node is not None]


def test_a_large_model_opens_as_its_layers(page: ModelPage, qtbot: QtBot) -> None:
    layers = [f"layer.{k} ▸" for k in range(9)]
    assert titles(page) == layers
    assert page.detail.isVisible()
    page.pane.canvas.select(3)
    page.pane.canvas.enter()
    qtbot.waitUntil(lambda: titles(page)[0] == "attention ▸")
    assert page.trail.isVisible()
    qtbot.waitUntil(lambda: len(visible(page.trail, QPushButton)) == 1)
    page.pane.canvas.setFocus()
    qtbot.keyClick(page.pane.canvas, Qt.Key.Key_Backspace)
    qtbot.waitUntil(lambda: titles(page) == layers)
    # One is where one came from.
    assert page.pane.canvas.selected == 3
    qtbot.keyClick(page.pane.canvas, Qt.Key.Key_B)
    qtbot.waitUntil(lambda: len(titles(page)) >= 400)


def test_a_switch_builds_one_scene(
    page: ModelPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []
    build = model.scene_of_part

    def note(*arguments: Any) -> Any:
        built.append(arguments[1])
        return build(*arguments)

    monkeypatch.setattr(model, "scene_of_part", note)
    page.toggle_detail()
    qtbot.waitUntil(lambda: len(titles(page)) >= 400)
    page.detail.set_index(0)
    qtbot.waitUntil(lambda: len(titles(page)) == 9)
    assert built == ["", ""]


def test_a_block_costs_what_its_nodes_cost(page: ModelPage) -> None:
    page.colors.changed.emit(1)
    page.colors.set_index(1)
    page._recolor()
    overlay = page.pane.canvas._overlay
    assert overlay is not None
    assert len(overlay.texts) == 9
