"""The search of the Model page: what is found anywhere in the model is listed and gone to."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from studio.api import Graph, Model, Node, TensorType, Value
from studio.gui.graph.block_paths import boxes_of
from studio.gui.graph.scene import Scene
from studio.gui.graph.search_results import SHOWN, SearchResults, grouped
from studio.gui.pages.model import commands as model_commands
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from studio.models.layout import lay_out
from studio.workspace import GraphView, SearchResult
from tests.benchmarks.generated import transformer, write_onnx
from tests.gui.conftest import open_graph

JOB_MS = 30_000


@pytest.fixture
def digits_page(digits_window: MainWindow) -> ModelPage:
    page = digits_window.page()
    assert isinstance(page, ModelPage)
    return page


def selected(page: ModelPage) -> str:
    canvas = page.pane.canvas
    if canvas.scene is None or canvas.selected is None:
        return ""
    return canvas.scene.boxes[canvas.selected].name


def search(page: ModelPage, qtbot: QtBot, text: str) -> None:
    """Type and wait for the answer."""
    page.search.clear()
    with qtbot.waitSignal(page.finder.found):
        qtbot.keyClicks(page.search, text)


def headings(page: ModelPage) -> list[tuple[str, str]]:
    return [(one.title, one.text) for one in page.finder.lines.lines if one.found is None]


def test_results_are_grouped_by_what_matched(digits_page: ModelPage, qtbot: QtBot) -> None:
    search(digits_page, qtbot, "conv")
    assert headings(digits_page) == [("Operator type", "2"), ("Tensor", "2")]
    assert digits_page.finder.count.text() == "4 found"
    assert digits_page.finder.isVisible()
    search(digits_page, qtbot, "kernel_shape=3x3")
    assert headings(digits_page) == [("Attribute", "2")]
    search(digits_page, qtbot, "1x8x8")
    assert headings(digits_page)[0][0] == "Shape"
    search(digits_page, qtbot, "image")
    assert headings(digits_page)[0] == ("Name", "1")


def test_keys_and_clicks_go_through_the_results(digits_page: ModelPage, qtbot: QtBot) -> None:
    search(digits_page, qtbot, "conv")
    field, finder = digits_page.search, digits_page.finder
    seen = []
    for _ in range(5):
        qtbot.keyClick(field, Qt.Key.Key_Return)
        seen.append(selected(digits_page))
    assert seen == ["conv1", "conv2", "relu1", "relu2", "conv1"]
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert (selected(digits_page), finder.count.text()) == ("relu2", "4 of 4")
    for _ in range(2):  # arrows choose, over the heading, and show nothing yet
        qtbot.keyClick(field, Qt.Key.Key_Up)
    assert selected(digits_page) == "relu2"
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert selected(digits_page) == "conv2"
    at = finder.list.visualRect(finder.lines.index(1)).center()
    qtbot.mouseClick(finder.list.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at))
    assert selected(digits_page) == "conv1"
    qtbot.waitUntil(lambda: bool(digits_page.pane.canvas._hits))
    search(digits_page, qtbot, "nowhere")
    assert finder.count.text() == "No results"
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert not finder.isVisible()
    assert digits_page.pane.canvas.hasFocus()
    assert selected(digits_page) == "conv1"
    qtbot.waitUntil(lambda: not digits_page.pane.canvas._hits)


def test_a_result_inside_folded_blocks_is_gone_to(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "transformer.onnx"
    write_onnx(transformer(400), path)
    open_graph(window, qtbot, path)
    page = window.page()
    assert isinstance(page, ModelPage)
    search(page, qtbot, "layer.5 softmax")
    hit = page.finder.lines.lines[1].found
    assert hit is not None
    assert page.finder.lines.place(hit) == "layer.5 › attention"
    # On the outermost level the layer that holds it is outlined.
    canvas = page.pane.canvas
    qtbot.waitUntil(lambda: bool(canvas._hits))
    assert canvas.scene is not None
    assert [canvas.scene.boxes[box].name for box in canvas._hits] == ["encoder/layer.5"]
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: selected(page) == hit.name)
    assert page.trail.isVisible()
    page.toggle_detail()
    qtbot.waitUntil(lambda: not page.trail.isVisible())
    qtbot.keyClick(page.search, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: selected(page) != "")
    assert not page.trail.isVisible()


def nested() -> GraphView:
    """An If whose branch holds another one."""
    kind = TensorType("float32", (1,))
    deep = Graph("deep", (), (Value("d", kind),), (Node("deepest", "Relu", ("x",), ("d",)),))
    inner = Node("Inner/If", "If", ("x",), ("d",), blocks={"then_branch": deep})
    branch = Graph("branch", (), (Value("d", kind),), (inner,))
    node = Node("Outer", "If", ("x",), ("y",), blocks={"then_branch": branch})
    graph = Graph("g", (Value("x", kind),), (Value("y", kind),), (node,))
    return GraphView(Model("onnx", graph), lay_out(graph))


def test_results_in_nested_branches_mark_what_holds_them() -> None:
    view = nested()
    hit = SearchResult(
        "Outer/then_branch/Inner/If/then_branch", "Outer", "node", "Relu", "deepest", "", ""
    )
    for path, box in (("", 1), ("Outer/then_branch", 0), (hit.path, 0)):
        scene = Scene(*view.part(path))
        assert boxes_of([hit], scene, view, path, folded=False) == {box}
    elsewhere = SearchResult("No/then_branch", "No", "node", "Relu", "deepest", "", "")
    assert boxes_of([elsewhere], Scene(*view.part("")), view, "", folded=False) == frozenset()


def test_a_long_group_says_how_many_more_there_are(qtbot: QtBot) -> None:
    hits = [
        SearchResult("", "", "node", "Relu", f"n{k}", "operator", "Relu") for k in range(SHOWN + 7)
    ]
    lines = SearchResults(lambda _hit: "")
    lines.show(grouped(hits))
    assert lines.rowCount() == SHOWN + 2
    assert lines.lines[0].text == str(SHOWN + 7)
    assert lines.lines[-1].text.startswith("7 more results")
    last = lines.index(SHOWN + 1)
    assert lines.flags(last) == Qt.ItemFlag.NoItemFlags
    assert lines.data(lines.index(1), Qt.ItemDataRole.AccessibleTextRole) == "Relu, n0"


def test_the_palette_lists_operators_of_a_large_graph(
    digits_page: ModelPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {(entry.title, entry.detail) for entry in digits_page.entries()}
    assert ("Conv", "conv1") in names
    monkeypatch.setattr(model_commands, "_MOST", 3)
    entries = {entry.title: entry for entry in digits_page.entries()}
    assert entries["Conv"].detail == "find all 2"
    with qtbot.waitSignal(digits_page.finder.found):
        entries["Conv"].run()
    assert digits_page.search.text() == "Conv"
    assert digits_page.search.hasFocus()
