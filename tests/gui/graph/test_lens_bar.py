"""The bar above a graph, its dock, and graphs that run from left to right."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.api import Graph, Node
from studio.gui.graph.controls.choices import ViewChoices, recall, store
from studio.gui.graph.controls.dock import HEIGHT, LEGEND_HEIGHT, SIDE_WIDTH
from studio.gui.graph.linked_panes import LinkedPanes
from studio.gui.graph.overlay import make_overlay
from studio.gui.graph.scene import Scene
from studio.gui.graph.view import GraphPane
from studio.gui.theme import Theming
from studio.models.layout import lay_out
from studio.settings import Settings
from tests.gui.graph.test_canvas import diamond
from tests.unit.models import graphs


def convolutions() -> Graph:
    """A convolution with two readers, which are added."""
    nodes = (
        Node("stem", "Conv", ("x", "w"), ("a",), attributes={"kernel_shape": (3, 3)}),
        Node("left", "Relu", ("a",), ("b",)),
        Node("right", "Sigmoid", ("a",), ("c",)),
        Node("join", "Add", ("b", "c"), ("y",)),
    )
    x, y = graphs.typed("x", "N", 1, 8, 8), graphs.typed("y", "N", 4, 6, 6)
    inner = graphs.typed("a", "DynamicDimension.0", 4, 6, 6).type
    assert inner is not None
    values = {"a": inner, "b": inner, "c": inner}
    return Graph("g", (x,), (y,), nodes, {"w": graphs.constant("w", 4, 1, 3, 3)}, values)


def scene(*, across: bool = False) -> Scene:
    graph = convolutions()
    return Scene(graph, lay_out(graph, across=across), across=across)


@pytest.fixture
def pane(qtbot: QtBot) -> GraphPane:
    made = GraphPane(Theming("dark"))
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    made.show_scene(scene())
    return made


def place(widget: QWidget, pane: GraphPane) -> QRect:
    return QRect(widget.mapTo(pane, QPoint()), widget.size())


def picture(pane: GraphPane) -> QImage:
    """What the canvas shows when no part of it waits to be painted."""
    pane.canvas._settle.stop()
    while True:
        shown = pane.canvas.grab().toImage()
        if not pane.canvas._more.isActive():
            return shown
        pane.canvas._more.stop()


def arranged(pane: GraphPane, qtbot: QtBot, *, across: bool) -> None:
    """Choose a direction, and wait for the dock to be in its place."""
    pane.show_choices(ViewChoices(across=across))
    room = pane.height() - pane.bar.height()
    wanted = (pane.width(), HEIGHT) if across else (SIDE_WIDTH, room)
    qtbot.waitUntil(lambda: pane.dock.size().toTuple() == wanted)


@pytest.mark.parametrize("across", [False, True])
def test_nothing_covers_the_nodes(pane: GraphPane, across: bool, qtbot: QtBot) -> None:
    arranged(pane, qtbot, across=across)
    pane.grab()
    canvas = place(pane.canvas, pane)
    for item in (pane.bar, pane.dock, pane.minimap, pane.legend):
        assert item.isVisible()
        assert not canvas.intersects(place(item, pane))
    assert (pane.dock.height() if across else pane.dock.width()) == (
        HEIGHT if across else SIDE_WIDTH
    )
    assert not pane.minimap.geometry().intersects(pane.legend.geometry())
    assert [child for child in pane.canvas.findChildren(QWidget) if child.isVisible()] == []


def test_the_dock_keeps_its_size_under_an_overlay(pane: GraphPane) -> None:
    pane.grab()
    before = pane.dock.size(), pane.canvas.size()
    pane.set_overlay(make_overlay("MACs", {1: 5.0, 2: 1.0}, str))
    pane.grab()
    assert (pane.dock.size(), pane.canvas.size()) == before


def test_the_dock_is_hidden_by_button_and_key(pane: GraphPane, qtbot: QtBot) -> None:
    pane.bar.dock.click()
    assert not pane.dock.isVisible()
    qtbot.keyClick(pane.canvas, Qt.Key.Key_M)
    assert pane.dock.isVisible()
    assert pane.bar.dock.isChecked()


def test_shapes_are_written_on_demand_and_only_close_by(pane: GraphPane, qtbot: QtBot) -> None:
    pane.canvas.zoom_to(1.0)
    close = picture(pane)
    qtbot.keyClick(pane.canvas, Qt.Key.Key_E)
    assert pane.bar.shapes.isChecked()
    assert picture(pane) != close
    pane.canvas.zoom_to(0.4)
    far = picture(pane)
    qtbot.keyClick(pane.canvas, Qt.Key.Key_E)
    assert picture(pane) == far


def test_shapes_use_short_names() -> None:
    made = scene()
    assert made.shapes(0) == ("N×1×8×8",)
    assert made.shapes(1) == ("batch×4×6×6",)
    assert made.shapes(5) == ()


def test_rows_are_painted_close_by_alone(pane: GraphPane) -> None:
    ground = pane.canvas._theming.current.color("surface")

    def lower_part() -> QColor:
        box = pane.canvas.box_rectangle(1)
        return QColor(picture(pane).pixelColor(int(box.right() - 6), int(box.bottom() - 6)))

    pane.canvas.zoom_to(1.0)
    assert lower_part() == ground
    pane.canvas.zoom_to(0.6)
    assert lower_part() == pane.canvas._theming.current.graph_color("convolution")


def test_rows_need_the_room_that_the_layout_left(pane: GraphPane) -> None:
    assert [row.title for row in scene().rows(1)] == ["W", "kernel"]
    assert scene().details(1)[0] == "batch×4×6×6"
    assert diamond().rows(1) == ()
    assert diamond().details(1)[0] == "3×3 · 1×8"


def test_a_graph_from_left_to_right_is_found_and_travelled(pane: GraphPane, qtbot: QtBot) -> None:
    made = scene(across=True)
    assert made.x[0] < made.x[1] < made.x[2] == made.x[3] < made.x[4] < made.x[5]
    pane.show_choices(ViewChoices(across=True))
    pane.show_scene(made)
    canvas = pane.canvas
    for box in range(len(made)):
        assert made.box_at(*made.centre(box)) == box
    assert made.box_at(made.x[1] + made.width[1] + 4, made.centre(1)[1]) is None
    canvas.select(0)
    seen = []
    upper, lower = sorted((2, 3), key=lambda box: made.y[box])
    for key in ("Right", "Right", "Down", "Up", "Right", "Left"):
        qtbot.keyClick(canvas, getattr(Qt.Key, f"Key_{key}"))
        seen.append(canvas.selected)
    assert seen[0] == 1
    assert seen[4] == 4
    assert set(seen[2:4]) <= {upper, lower}


def test_edges_run_from_the_right_side_to_the_left_one() -> None:
    made = scene(across=True)
    lines = made.index.lines_of(made.index.edges_of(0)).ends.tolist()
    start = (made.x[0] + made.width[0], made.centre(0)[1])
    assert tuple(lines[0][:2]) == pytest.approx(start)
    assert tuple(lines[-1][2:]) == pytest.approx((made.x[1], made.centre(1)[1]))


def test_pages_turn_in_the_direction_of_the_graph(pane: GraphPane, qtbot: QtBot) -> None:
    long = graphs.relus(200)
    pane.show_scene(Scene(long, lay_out(long, across=True), across=True))
    before = pane.canvas.viewport.area()
    qtbot.keyClick(pane.canvas, Qt.Key.Key_PageDown)
    assert pane.canvas.viewport.area().left > before.left
    assert pane.canvas.viewport.area().top == before.top


def test_the_overview_moves_both_ways(pane: GraphPane, qtbot: QtBot) -> None:
    long = graphs.relus(200)
    for across in (False, True):
        arranged(pane, qtbot, across=across)
        pane.show_scene(Scene(long, lay_out(long, across=across), across=across))
        pane.grab()
        mark = pane.minimap._mark()
        end = QPoint(pane.minimap.width() - 8, pane.minimap.height() - 8)
        qtbot.mouseClick(pane.minimap, Qt.MouseButton.LeftButton, pos=end)
        moved = pane.minimap._mark()
        assert (moved.left() > mark.left() + 20) if across else (moved.top() > mark.top() + 20)


def test_the_overview_has_the_colours_of_the_graph(pane: GraphPane) -> None:
    overlay = make_overlay("MACs", {1: 5.0}, str)
    heat = overlay.colors[1].rgb()
    assert heat not in colours(pane.minimap._paint_picture().toImage())
    pane.set_overlay(overlay)
    assert heat in colours(pane.minimap._paint_picture().toImage())
    pane.set_overlay(None)
    assert heat not in colours(pane.minimap._paint_picture().toImage())


def colours(image: QImage) -> set[int]:
    return {
        image.pixel(x, y) for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)
    }


def test_both_sides_of_a_comparison_take_the_choice(qtbot: QtBot) -> None:
    panes = LinkedPanes(Theming("dark"))
    qtbot.addWidget(panes)
    panes.resize(900, 500)
    panes.show()
    with qtbot.waitSignal(panes.choices_changed) as heard:
        panes.panes[1].bar.shapes.click()
    assert heard.args == [ViewChoices(shapes=True)]
    zooms = [pane.bar.zoom_in.isVisible() for pane in panes.panes]
    assert zooms == [True, False]
    assert [pane.bar.shapes.isVisible() for pane in panes.panes] == [False, True]
    for pane in panes.panes:
        assert pane.canvas.shapes
        assert (pane.dock.is_below, pane.minimap.isVisible()) == (True, False)
        assert pane.dock.height() == LEGEND_HEIGHT


def test_choices_are_kept(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.toml")
    assert recall(settings) == ViewChoices()
    store(settings, ViewChoices(across=True, shapes=True, dock=False))
    assert recall(Settings(tmp_path / "settings.toml")) == ViewChoices(True, True, False)
    settings["window"] = '{"graph": {"across": 7, "unknown": true}}'
    assert recall(settings) == ViewChoices()
