"""Keep in float: from the context menu into the project, onto the graph and to Optimize."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.graph.canvas import GraphCanvas
from studio.gui.pages.model.page import ModelPage
from studio.gui.pages.quantize.page import QuantizePage
from studio.gui.window.main_window import MainWindow
from studio.workspace import Workspace

JOB_MS = 30_000


@pytest.fixture
def page(digits_window: MainWindow, qtbot: QtBot) -> ModelPage:
    shown = digits_window.page()
    assert isinstance(shown, ModelPage)
    qtbot.waitUntil(lambda: digits_window.project.value is not None)
    return shown


def box(page: ModelPage, title: str) -> int:
    scene = page.pane.canvas.scene
    assert scene is not None
    return next(index for index, one in enumerate(scene.boxes) if one.title == title)


def entry(page: ModelPage, title: str) -> QAction:
    """The entry in the menu of the first box with a title, which is selected."""
    scene = page.pane.canvas.scene
    assert scene is not None
    page.pane.canvas.select(box(page, title))
    menu = page.drawer._menu_of(scene, box(page, title))
    return next(action for action in menu.actions() if action.text() == "Keep in float")


def kept(workspace: Workspace) -> tuple[str, ...]:
    return workspace.projects.of(workspace.registry.variant(1)).float_nodes


def keep(page: ModelPage, window: MainWindow, qtbot: QtBot) -> str:
    """Keep the first convolution; its name."""
    entry(page, "Conv").trigger()
    qtbot.waitUntil(lambda: "Kept in float" in window.toasts.texts, timeout=JOB_MS)
    scene = page.pane.canvas.scene
    assert scene is not None
    return scene.boxes[box(page, "Conv")].name


def test_the_node_is_in_the_project_and_marked(
    page: ModelPage, digits_window: MainWindow, qtbot: QtBot
) -> None:
    name = keep(page, digits_window, qtbot)
    assert digits_window.toasts.texts == f"Kept in float: {name}"
    assert kept(digits_window.workspace) == (name,)
    canvas = page.pane.canvas
    assert canvas._kept == {box(page, "Conv")}
    assert canvas.accessibleDescription().endswith("; kept in float")
    assert entry(page, "Conv").isChecked()
    assert not entry(page, "Gemm").isChecked()


def test_undo_takes_it_out_again(page: ModelPage, digits_window: MainWindow, qtbot: QtBot) -> None:
    keep(page, digits_window, qtbot)
    toast = digits_window.toasts.shown[0]
    assert toast.act.text() == "Undo"
    toast.act.click()
    assert page.pane.canvas._kept == frozenset(), "at once"
    qtbot.waitUntil(lambda: kept(digits_window.workspace) == (), timeout=JOB_MS)


def test_undo_takes_back_no_later_change(
    page: ModelPage, digits_window: MainWindow, qtbot: QtBot
) -> None:
    keep(page, digits_window, qtbot)
    toast = digits_window.toasts.shown[0]
    entry(page, "Gemm").trigger()
    qtbot.waitUntil(lambda: len(kept(digits_window.workspace)) == 2, timeout=JOB_MS)
    toast.act.click()
    gemm = page.pane.canvas.scene
    assert gemm is not None
    name = gemm.boxes[box(page, "Gemm")].name
    qtbot.waitUntil(lambda: kept(digits_window.workspace) == (name,), timeout=JOB_MS)


def test_nothing_is_kept_before_the_project_is_read(
    page: ModelPage, digits_window: MainWindow
) -> None:
    digits_window.project.show(None)
    assert not entry(page, "Conv").isEnabled()


def test_the_entry_releases_what_it_kept(
    page: ModelPage, digits_window: MainWindow, qtbot: QtBot
) -> None:
    keep(page, digits_window, qtbot)
    entry(page, "Conv").trigger()
    qtbot.waitUntil(lambda: "No longer kept" in digits_window.toasts.texts, timeout=JOB_MS)
    assert kept(digits_window.workspace) == ()
    assert page.pane.canvas._kept == frozenset()


def test_two_at_once_are_both_kept(
    page: ModelPage, digits_window: MainWindow, qtbot: QtBot
) -> None:
    entry(page, "Conv").trigger()
    entry(page, "Gemm").trigger()
    qtbot.waitUntil(lambda: len(kept(digits_window.workspace)) == 2, timeout=JOB_MS)


def test_optimize_lists_it_and_removes_it(
    page: ModelPage, digits_window: MainWindow, qtbot: QtBot
) -> None:
    name = keep(page, digits_window, qtbot)
    digits_window.go("quantize")
    optimize = digits_window.page()
    assert isinstance(optimize, QuantizePage)
    assert "1 node kept in float" in optimize.data.text.text()
    buttons = {one.accessibleName(): one for one in optimize.float_list.findChildren(QPushButton)}
    assert f"Show {name}" in buttons
    small = optimize.cards.cards[0]
    qtbot.waitUntil(lambda: "37.1 kB" in small.texts[0].text(), timeout=JOB_MS)
    buttons[f"Keep {name} in float no longer"].click()
    qtbot.waitUntil(lambda: kept(digits_window.workspace) == (), timeout=JOB_MS)
    qtbot.waitUntil(lambda: "kept in float" not in optimize.data.text.text())
    assert optimize.float_list.nodes.names == ()
    assert "float_nodes" not in optimize.form.fields, "it is not asked for twice"


def test_a_quantized_variant_and_a_sub_graph_have_none_to_keep(
    page: ModelPage, digits_window: MainWindow
) -> None:
    registry = digits_window.workspace.registry
    origin = registry.variant(1)
    made = registry.add_variant(
        registry.add_model("digits"),
        "int8",
        registry.adopt(Path(origin.path)),
        format="onnx",
        precision="int8",
        parent=1,
        step="quantize",
    )
    floats = page.drawer.floats
    assert entry(page, "Conv").isEnabled()
    floats.show_scene(is_main=False)
    assert entry(page, "Conv").toolTip() == "Nodes of a sub-graph or function are not quantized."
    floats.show_variant(made)
    action = entry(page, "Conv")
    assert not action.isEnabled()
    assert action.toolTip() == "This variant is quantized. Select its parent variant."


def test_the_mark_is_painted(page: ModelPage, digits_window: MainWindow, qtbot: QtBot) -> None:
    canvas = page.pane.canvas
    canvas.zoom_to(1.0)
    canvas.reveal(box(page, "Conv"))
    assert badge_pixels(canvas, box(page, "Conv")) == 0
    keep(page, digits_window, qtbot)
    # What a zoom has painted roughly is painted again when it has settled.
    qtbot.waitUntil(lambda: badge_pixels(canvas, box(page, "Conv")) > 40)


def badge_pixels(canvas: GraphCanvas, index: int) -> int:
    """Count the pixels of the accent colour above the upper edge of a box."""
    place, image = canvas.box_rectangle(index), canvas.grab().toImage()
    accent = canvas._theming.current.color("accent").rgb()
    across = range(round(place.center().x()), round(place.right()) - 4)
    down = range(round(place.top()) - 10, round(place.top()) - 3)
    return sum(image.pixel(x, y) == accent for x in across for y in down)
