"""The graph canvas: hits, travel, zoom, search, levels of detail."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from studio.api import Graph, GraphLayout, Node, TensorType, Value
from studio.gui.graph.area import Area
from studio.gui.graph.canvas import GraphCanvas
from studio.gui.graph.scene import Scene
from studio.gui.theme import Theming

FLOAT = TensorType("float32", (1, 8))


def diamond() -> Scene:
    """x -> Conv -> (Relu, Sigmoid) -> Add -> y, and a constant that is not drawn."""
    nodes = (
        Node("stem", "Conv", ("x",), ("a",), attributes={"kernel_shape": (3, 3)}),
        Node("left", "Relu", ("a",), ("b",)),
        Node("right", "Sigmoid", ("a",), ("c",)),
        Node("join", "Add", ("b", "c"), ("y",)),
        Node("constant", "Constant", (), ("k",)),
    )
    graph = Graph("diamond", (Value("x", FLOAT),), (Value("y", FLOAT),), nodes, values={"a": FLOAT})
    layout = GraphLayout(
        x=(100, 100, 0, 200, 100, 0, 100),
        y=(0, 80, 160, 160, 240, 0, 320),
        width=(120, 120, 120, 120, 120, 0, 120),
        height=(44,) * 7,
        edges=((0, 1, "x"), (1, 2, "a"), (1, 3, "a"), (2, 4, "b"), (3, 4, "c"), (4, 6, "y")),
        bends=((), (), (), (), (), ()),
        size=(320, 364),
    )
    return Scene(graph, layout)


def column(count: int) -> Scene:
    """A chain of so many nodes."""
    graph = Graph("chain", (), (), tuple(Node(f"n{i}", "Relu", (), ()) for i in range(count)))
    layout = GraphLayout(
        x=(0.0,) * count,
        y=tuple(76.0 * i for i in range(count)),
        width=(120.0,) * count,
        height=(44.0,) * count,
        edges=tuple((i, i + 1, "") for i in range(count - 1)),
        bends=((),) * (count - 1),
        size=(120.0, 76.0 * count),
    )
    return Scene(graph, layout)


@pytest.fixture
def canvas(qtbot: QtBot) -> GraphCanvas:
    made = GraphCanvas(Theming("dark"))
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    made.show_scene(diamond())
    return made


def test_click_selects_what_lies_under_it(canvas: GraphCanvas, qtbot: QtBot) -> None:
    for box in (0, 1, 2, 3, 4, 6):
        middle = canvas.box_rectangle(box).center().toPoint()
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
        assert canvas.selected == box


def test_click_on_the_ground_selects_nothing(canvas: GraphCanvas, qtbot: QtBot) -> None:
    canvas.select(1)
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(3, 300))
    assert canvas.selected is None


def test_edges_of_a_box_are_not_the_box(canvas: GraphCanvas) -> None:
    assert canvas.scene is not None
    assert canvas.scene.box_at(160, 44) == 0
    assert canvas.scene.box_at(160, 46) is None


def test_constants_are_not_hit(canvas: GraphCanvas) -> None:
    assert canvas.scene is not None
    assert canvas.scene.index.boxes_in(Area(-10, -10, 50, 50)).tolist() == []


def test_arrow_keys_travel_along_edges(canvas: GraphCanvas, qtbot: QtBot) -> None:
    canvas.select(0)
    seen = []
    keys = (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Up)
    for key in keys:
        qtbot.keyClick(canvas, key)
        seen.append(canvas.selected)
    assert seen == [1, 2, 3, 4, 2]


def test_arrow_keys_pan_while_nothing_is_selected(canvas: GraphCanvas, qtbot: QtBot) -> None:
    before = canvas.viewport.area().top
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert canvas.viewport.area().top > before


def test_escape_selects_nothing(canvas: GraphCanvas, qtbot: QtBot) -> None:
    canvas.select(1)
    with qtbot.waitSignal(canvas.selection_changed) as told:
        qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert told.args == [-1]


def test_selection_is_described(canvas: GraphCanvas) -> None:
    assert canvas.accessibleName() == "Graph with 5 nodes"
    canvas.select(1)
    assert canvas.accessibleDescription() == "Conv stem, 3×3 · 1×8; 1 before, 2 after"


def test_zoom_keeps_the_point_under_the_cursor(canvas: GraphCanvas) -> None:
    anchor = QPointF(500, 200)
    before = canvas.viewport.to_scene(anchor)
    canvas.zoom_by(1.7, anchor)
    after = canvas.viewport.to_scene(anchor)
    assert (after - before).manhattanLength() < 1e-6


def test_drag_pans(canvas: GraphCanvas, qtbot: QtBot) -> None:
    canvas.zoom_to(2.0)
    before = canvas.viewport.area()
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(400, 300))
    qtbot.mouseMove(canvas, QPoint(370, 280))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(370, 280))
    assert canvas.viewport.area().left == pytest.approx(before.left + 15)
    assert canvas.viewport.area().top == pytest.approx(before.top + 10)
    assert canvas.selected is None


def test_long_graph_begins_at_reading_size_and_fits_on_request(
    canvas: GraphCanvas, qtbot: QtBot
) -> None:
    canvas.show_scene(column(500))
    assert canvas.zoom == 1.0
    assert canvas.viewport.area().top < 0 < canvas.viewport.area().bottom
    qtbot.keyClick(canvas, Qt.Key.Key_F)
    assert canvas.viewport.area().bottom >= 76.0 * 499


def test_start_is_shown_in_any_size_until_another_view_is_chosen(canvas: GraphCanvas) -> None:
    canvas.show_scene(column(500))
    for size in ((300, 90), (800, 600), (250, 400)):
        canvas.resize(*size)
        assert canvas.rect().toRectF().contains(canvas.box_rectangle(0))
        assert canvas.box_rectangle(0).center().x() == pytest.approx(size[0] / 2, abs=1)
    canvas.pan(0, 2000)
    top = canvas.viewport.area().top
    canvas.resize(800, 600)
    assert canvas.viewport.area().top == top
    canvas.show_start()
    canvas.select(1)
    top = canvas.viewport.area().top
    canvas.resize(800, 100)
    assert canvas.viewport.area().top == top, "what is selected stays where it is"


def test_fit_is_kept_when_the_size_changes(canvas: GraphCanvas) -> None:
    canvas.show_scene(column(500))
    canvas.fit()
    zoom = canvas.zoom
    canvas.resize(700, 600)
    assert canvas.zoom == zoom


def test_reveal_brings_a_far_box_into_sight(canvas: GraphCanvas) -> None:
    canvas.show_scene(column(500))
    canvas.select(400)
    assert canvas.rect().toRectF().contains(canvas.box_rectangle(400))


def test_graph_cannot_be_lost(canvas: GraphCanvas) -> None:
    canvas.pan(1e7, 1e7)
    assert canvas.scene is not None
    assert canvas.viewport.area().left < canvas.scene.size[0]
    assert canvas.viewport.area().top < canvas.scene.size[1]


@pytest.mark.parametrize("zoom", [0.05, 0.3, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_level_of_detail_shows_the_boxes(qtbot: QtBot, zoom: float, theme: str) -> None:
    theming = Theming(theme)
    canvas = GraphCanvas(theming)
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.show_scene(diamond())
    canvas.viewport.zoom = zoom
    canvas.centre_on(160, 102)  # the left edge of the first node's text
    image = QImage(canvas.size(), QImage.Format.Format_RGB32)
    canvas.render(image, QPoint())
    box = canvas.box_rectangle(1)
    inside = image.pixelColor(round(box.left() + box.width() * 0.06), round(box.center().y()))
    assert inside == theming.current.graph_color("convolution")


def test_layout_of_another_graph_is_refused() -> None:
    with pytest.raises(ValueError, match="1 positions for 2 boxes"):
        Scene(
            Graph("g", (), (), (Node("a", "Relu", (), ()), Node("b", "Relu", (), ()))),
            GraphLayout((0,), (0,), (1,), (1,), (), (), (1, 1)),
        )


def test_ancestors_and_descendants_are_lit(canvas: GraphCanvas, qtbot: QtBot) -> None:
    canvas.select(2)
    qtbot.keyClick(canvas, Qt.Key.Key_A)
    assert canvas.traced == {0, 1, 2}
    assert canvas.accessibleDescription().endswith("3 highlighted")
    qtbot.keyClick(canvas, Qt.Key.Key_D)
    assert canvas.traced == {2, 4, 6}
    dark = canvas.grab().toImage()
    qtbot.keyClick(canvas, Qt.Key.Key_D)
    assert canvas.traced == frozenset()
    assert canvas.grab().toImage() != dark
    qtbot.keyClick(canvas, Qt.Key.Key_A)
    canvas.select(3)
    assert canvas.traced == frozenset()
