"""Blocks unfolded in place in the window: by mouse, key, menu; search, paths, inspector in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.graph.scene import Scene
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from tests.benchmarks.generated import transformer, write_onnx
from tests.gui.conftest import open_graph, visible

JOB_MS = 30_000

pytestmark = pytest.mark.slow


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> ModelPage:
    path = tmp_path / "transformer.onnx"
    write_onnx(transformer(400), path)
    open_graph(window, qtbot, path)
    shown = window.page()
    assert isinstance(shown, ModelPage)
    return shown


def scene_of(page: ModelPage) -> Scene:
    scene = page.pane.canvas.scene
    assert scene is not None
    return scene


def frames(page: ModelPage) -> list[str]:
    return [frame.node.operator for frame in scene_of(page).frames]


def on_screen(page: ModelPage, x: float, y: float) -> QPointF:
    return page.pane.canvas.viewport.to_widget(QPointF(x, y))


def block(page: ModelPage, title: str) -> int:
    boxes = scene_of(page).boxes
    return next(at for at, box in enumerate(boxes) if box.title == f"{title} ▸")


def unfold(page: ModelPage, qtbot: QtBot, title: str) -> None:
    page.pane.canvas.select(block(page, title), reveal=False)
    qtbot.keyClick(page.pane.canvas, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: title in frames(page), timeout=JOB_MS)


def test_a_key_unfolds_a_block_where_it_is(page: ModelPage, qtbot: QtBot) -> None:
    canvas = page.pane.canvas
    canvas.zoom_to(0.8)
    box = block(page, "layer.2")
    before = on_screen(page, scene_of(page).centre(box)[0], scene_of(page).y[box])
    unfold(page, qtbot, "layer.2")
    frame = scene_of(page).frames[0]
    after = on_screen(page, frame.x + frame.width / 2, frame.y)
    assert (after - before).manhattanLength() < 2
    assert canvas.zoom == pytest.approx(0.8)
    assert not page.trail.isVisible()
    assert canvas.selected is not None
    assert scene_of(page).frame_of(canvas.selected) == 0
    assert "in layer.2, expanded" in canvas.accessibleDescription()
    qtbot.keyClick(canvas, Qt.Key.Key_Backspace)
    qtbot.waitUntil(lambda: not frames(page), timeout=JOB_MS)
    assert canvas.selected == box
    again = on_screen(page, scene_of(page).centre(box)[0], scene_of(page).y[box])
    assert (again - before).manhattanLength() < 2


def test_the_signs_are_clicked(page: ModelPage, qtbot: QtBot) -> None:
    canvas = page.pane.canvas
    box = block(page, "layer.1")
    canvas.centre_on(*scene_of(page).centre(box))
    corner = on_screen(page, scene_of(page).x[box] + 10, scene_of(page).y[box] + 10).toPoint()
    qtbot.mouseMove(canvas, corner)
    assert canvas.cursor().shape() is Qt.CursorShape.PointingHandCursor
    assert canvas.toolTip() == "Expand (U)"
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=corner)
    qtbot.waitUntil(lambda: frames(page) == ["layer.1"], timeout=JOB_MS)
    frame = scene_of(page).frames[0]
    title = on_screen(page, frame.x + 12, frame.y + 12).toPoint()
    qtbot.mouseMove(canvas, title)
    assert canvas.toolTip() == "Collapse layer.1 (Backspace)"
    qtbot.mouseMove(canvas, title + QPoint(0, 60))
    assert not canvas.toolTip()
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=title)
    qtbot.waitUntil(lambda: not frames(page), timeout=JOB_MS)


def test_blocks_within_blocks_and_what_they_looked_like(page: ModelPage, qtbot: QtBot) -> None:
    unfold(page, qtbot, "layer.0")
    unfold(page, qtbot, "attention")
    assert frames(page) == ["layer.0", "attention"]
    page.unfolding.fold(0)
    qtbot.waitUntil(lambda: not frames(page), timeout=JOB_MS)
    unfold(page, qtbot, "layer.0")
    assert frames(page) == ["layer.0", "attention"]  # as it was


def test_all_blocks_and_back(page: ModelPage, qtbot: QtBot) -> None:
    canvas = page.pane.canvas
    assert page.view is not None
    nodes = {node.name for node in page.view.model.graph.nodes}
    qtbot.keyClick(canvas, Qt.Key.Key_U, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: len(frames(page)) > 9, timeout=JOB_MS)
    assert {box.name for box in scene_of(page).boxes if box.node is not None} == nodes
    qtbot.keyClick(canvas, Qt.Key.Key_U, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: not frames(page), timeout=JOB_MS)


def test_search_paths_numbers_and_inspector_work_inside(page: ModelPage, qtbot: QtBot) -> None:
    canvas = page.pane.canvas
    unfold(page, qtbot, "layer.2")
    unfold(page, qtbot, "attention")
    page.start_search("layer.2/attention")
    qtbot.waitUntil(lambda: bool(page.finder.hits) and bool(canvas._hits), timeout=JOB_MS)
    inside = [box for box in canvas._hits if scene_of(page).frame_of(box) >= 0]
    assert len(inside) > 1
    page.results.show(page.finder.hits[0])
    assert canvas.selected is not None
    assert not page.trail.isVisible()  # it was there to be seen
    chosen = scene_of(page).boxes[canvas.selected]
    assert chosen.node is not None
    canvas.trace(up=True)
    names = {scene_of(page).boxes[box].name for box in canvas.traced}
    assert {"x", chosen.name} <= names
    assert any(name.endswith("layer.1") for name in names)
    page.colors.set_index(1)
    assert canvas._overlay is not None
    assert any(scene_of(page).frame_of(box) >= 0 for box in canvas._overlay.colors)
    links = [item.text() for item in visible(page._inspector, QPushButton)]
    assert links  # what it reads and feeds


def test_a_block_within_an_unfolded_one_is_entered(page: ModelPage, qtbot: QtBot) -> None:
    unfold(page, qtbot, "layer.3")
    canvas = page.pane.canvas
    canvas.select(block(page, "attention"))
    canvas.enter()
    qtbot.waitUntil(page.trail.isVisible, timeout=JOB_MS)
    assert page.path.endswith("attention/inside")
    page.show_part("")
    qtbot.waitUntil(lambda: frames(page) == ["layer.3"], timeout=JOB_MS)


def test_what_cannot_be_unfolded_says_why(page: ModelPage, qtbot: QtBot) -> None:
    said: list[str] = []
    page.shell.notify = lambda text, tone="": said.append(text)  # type: ignore[method-assign]
    page.pane.canvas.select(None)
    page.unfolding.toggle()
    page.pane.canvas.select(0)
    page.unfolding.toggle()
    page.detail.set_index(1)
    qtbot.waitUntil(lambda: len(scene_of(page).boxes) > 400, timeout=JOB_MS)
    page.unfolding.toggle_all()
    assert said == [
        "Select a block, or a node inside an expanded block.",
        "Select a block, or a node inside an expanded block.",
        "This graph has no blocks.",
    ]


def test_menu_and_buttons_offer_it(page: ModelPage, qtbot: QtBot) -> None:
    canvas = page.pane.canvas
    texts = [one.text() for one in page.drawer._menu_of(scene_of(page), 3).actions()]
    assert "Expand (U)" in texts
    assert page.pane.paths.unfold.isVisible()
    assert page.pane.paths.unfold.accessibleName().startswith("Expand or collapse the block")
    unfold(page, qtbot, "layer.0")
    assert canvas.selected is not None
    texts = [one.text() for one in page.drawer._menu_of(scene_of(page), canvas.selected).actions()]
    assert "Collapse layer.0 (Backspace)" in texts
