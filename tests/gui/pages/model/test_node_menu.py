"""The context menu of a node, and the choices of the view that the page keeps."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction, QGuiApplication
from pytestqt.qtbot import QtBot

from studio.gui.graph.controls.choices import recall
from studio.gui.graph.scene import Scene
from studio.gui.pages.model.node_details import Histogram
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from studio.workspace import NodeTimeAsked

JOB_MS = 30_000


@pytest.fixture
def page(digits_window: MainWindow) -> ModelPage:
    shown = digits_window.page()
    assert isinstance(shown, ModelPage)
    return shown


def scene_of(page: ModelPage) -> Scene:
    scene = page.pane.canvas.scene
    assert scene is not None
    return scene


def actions(page: ModelPage, title: str) -> dict[str, QAction]:
    """The entries of the menu of the first box with a title, which is selected."""
    scene = scene_of(page)
    box = next(index for index, one in enumerate(scene.boxes) if one.title == title)
    page.pane.canvas.select(box)
    menu = page.drawer._menu_of(scene, box)
    return {action.text(): action for action in menu.actions() if action.text()}


def test_name_and_text_are_copied(page: ModelPage) -> None:
    entries = actions(page, "Conv")
    entries["Copy name"].trigger()
    name = scene_of(page).boxes[page.pane.canvas.selected or 0].name
    assert QGuiApplication.clipboard().text() == name
    entries["Copy as text"].trigger()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0] == f"Conv {name}"
    assert "  image: float32 batch×1×8×8" in lines
    assert "  kernel_shape = 3, 3" in lines
    actions(page, "image")["Copy as text"].trigger()
    assert QGuiApplication.clipboard().text() == "image: float32 batch×1×8×8"


def test_paths_are_highlighted(page: ModelPage) -> None:
    canvas = page.pane.canvas
    actions(page, "MaxPool")["Highlight path to input (A)"].trigger()
    assert canvas.ways == (True, False)
    assert 0 in canvas.traced
    actions(page, "MaxPool")["Highlight path from here (D)"].trigger()
    assert len(scene_of(page)) - 1 in canvas.traced


def test_weights_open_in_the_inspector(page: ModelPage, qtbot: QtBot) -> None:
    assert not actions(page, "Relu")["Show weights"].isEnabled()
    entries = actions(page, "Conv")
    assert entries["Show weights"].isEnabled()
    entries["Show weights"].trigger()
    found = page._inspector._weights
    assert len(found) == 2
    assert all(one.toggle.isChecked() for one in found)
    qtbot.waitUntil(lambda: bool(found[0].findChildren(Histogram)), timeout=JOB_MS)


def test_profile_is_one_entry_away(
    page: ModelPage, digits_window: MainWindow, qtbot: QtBot
) -> None:
    asked: list[object] = []
    digits_window.workspace.events.subscribe(asked.append)
    actions(page, "Conv")["Show in profile"].trigger()
    qtbot.waitUntil(lambda: NodeTimeAsked("conv1") in asked)
    shown = digits_window.page()
    assert shown is not None
    assert shown.stage == "profile"


def test_the_direction_is_kept_with_the_selection(page: ModelPage, qtbot: QtBot) -> None:
    canvas = page.pane.canvas
    name = scene_of(page).boxes[2].name
    canvas.select(2)
    page.pane.bar.direction.click()
    qtbot.waitUntil(lambda: scene_of(page).across, timeout=JOB_MS)
    scene = scene_of(page)
    assert scene.size[0] > scene.size[1]
    assert canvas.selected is not None
    assert scene.boxes[canvas.selected].name == name
    assert canvas.rect().toRectF().contains(canvas.box_rectangle(canvas.selected).center())
    assert recall(page.workspace.settings).across
    another = ModelPage(page.workspace, page.shell)
    another.complete()
    qtbot.addWidget(another)
    assert another.pane.bar.direction.isChecked()
    page.pane.bar.direction.click()
    qtbot.waitUntil(lambda: not scene_of(page).across, timeout=JOB_MS)
