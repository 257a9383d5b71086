"""The Compare view: two variants side by side, one scroll position, the list of what changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.api import Model
from studio.documents.dataclass_json import from_json
from studio.gui.graph.comparison import AFTER, BEFORE, _rising
from studio.gui.graph.linked_panes import LinkedPanes
from studio.gui.pages.model.compare_view import CompareView, _build
from studio.gui.pages.model.page import ModelPage
from studio.gui.theme import Theming
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.gui.window.main_window import MainWindow
from studio.models.blocks import folded, outline
from studio.models.layout import lay_out
from studio.models.results import DiffResult
from studio.workspace import GraphView, Workspace
from tests.benchmarks.generated import transformer
from tests.gui.conftest import DIGITS, MakeWindow, visible

JOB_MS = 30_000
CHANGED = "/encoder/layer.3/output/LayerNorm/Sub_188"


@pytest.fixture(scope="module")
def int8_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which digits was opened and quantized."""
    home = tmp_path_factory.mktemp("int8") / "home"
    with Workspace.open(home) as workspace:
        opened = workspace.run("open", model=str(DIGITS))
        data = str(DIGITS.with_name("calibration.npz"))
        made = workspace.run("quantize", model=f"#{opened.result.variant}", data=data)
    assert made.ok, made.sentence
    return home


@pytest.fixture
def view(make_window: MakeWindow, int8_home: Path, qtbot: QtBot) -> CompareView:
    window = make_window(int8_home)
    window.select(2)
    window.go("model")
    page = window.page()
    assert isinstance(page, ModelPage)
    page.show_view(2)
    qtbot.waitUntil(lambda: page.compare.comparison is not None, timeout=JOB_MS)
    return page.compare


def middle(view: CompareView, side: int) -> QPointF:
    canvas = view.panes.panes[side].canvas
    return canvas.viewport.to_scene(QPointF(canvas.width() / 2, canvas.height() / 2))


def box(view: CompareView, side: int, operator: str) -> int:
    assert view.comparison is not None
    scene = view.comparison.sides[side].scene
    return next(i for i, one in enumerate(scene.boxes) if one.title == operator)


def test_the_older_one_is_before(view: CompareView) -> None:
    assert [title.full_text() for title in view.panes.titles] == ["Before: fp32", "After: int8"]
    assert view.comparison is not None
    added = view._result.added
    assert added > 10
    assert view.counts.full_text() == f"3 changed · {added} added · 7 of 7 matched"
    assert set(view.comparison.states(BEFORE).values()) == {"same", "changed"}
    assert set(view.comparison.states(AFTER).values()) == {"same", "changed", "added"}
    (chip,) = [one for one in visible(view, QPushButton) if one.property("role") == "chip"]
    assert (getattr(chip, "text", str)(), chip.accessibleName()) == ("fp32", "Compare with fp32")


def test_one_scroll_position(view: CompareView, qtbot: QtBot) -> None:
    assert view.comparison is not None
    before, after = (pane.canvas for pane in view.panes.panes)
    pairs = [m.names for m in view.comparison.matches if m.names[0] and m.names[1]]
    for one, other in pairs:
        here = view.comparison.sides[BEFORE].box(one[0])
        there = view.comparison.sides[AFTER].box(other[0])
        assert here is not None
        assert there is not None
        before.centre_on(*view.comparison.sides[BEFORE].scene.centre(here))
        where = middle(view, AFTER)
        assert (where.x(), where.y()) == pytest.approx(
            view.comparison.sides[AFTER].scene.centre(there), abs=1
        )
        after.pan(0, 1)
        after.centre_on(*view.comparison.sides[AFTER].scene.centre(there))
        where = middle(view, BEFORE)
        assert (where.x(), where.y()) == pytest.approx(
            view.comparison.sides[BEFORE].scene.centre(here), abs=1
        )
    after.zoom_by(1.5)
    assert before.zoom == after.zoom


def test_a_click_selects_on_both_sides(view: CompareView, qtbot: QtBot) -> None:
    before, after = (pane.canvas for pane in view.panes.panes)
    after.select(box(view, AFTER, "Gemm"))
    assert before.selected == box(view, BEFORE, "Gemm")
    assert view.table.selected() is not None
    view.table.setFocus()
    top = view.table.visualRect(view.table.model().index(0, 0)).center()
    qtbot.mouseClick(view.table.viewport(), Qt.MouseButton.LeftButton, pos=top)
    assert view.comparison is not None
    key = view.table.selected()
    assert isinstance(key, int)
    match = view.comparison.matches[key]
    assert match.state == "changed"
    assert after.selected == view.comparison.sides[AFTER].box(match.names[AFTER][0])
    after.select(box(view, AFTER, "QuantizeLinear"))
    assert before.selected is None


def test_differences_one_by_one(view: CompareView, qtbot: QtBot) -> None:
    comparison = view.comparison
    assert comparison is not None
    many = len(comparison.differences)
    assert view.where.text() == f"{many} differences"
    before, after = (pane.canvas for pane in view.panes.panes)
    seen = []
    for _ in range(many + 1):
        qtbot.keyClick(after, Qt.Key.Key_N)
        seen.append(view.table.selected())
    assert seen == [*comparison.differences, comparison.differences[0]]
    assert view.where.text() == f"1 of {many} differences"
    qtbot.keyClick(before, Qt.Key.Key_P)
    assert view.table.selected() == comparison.differences[-1]
    heights = [comparison._height(at) for at in comparison.differences]
    assert heights == sorted(heights)
    view.back.click()
    assert view.where.text() == f"{many - 1} of {many} differences"


def test_the_legend_counts(view: CompareView) -> None:
    pane = view.panes.panes[AFTER]
    overlay = pane.canvas._overlay
    assert overlay is not None
    states = list(view.comparison.states(AFTER).values()) if view.comparison else []
    assert overlay.counts == {state: states.count(state) for state in set(states)}
    assert f"added {states.count('added')}" in pane.legend.accessibleName()


def test_blocks_are_compared_as_blocks(qtbot: QtBot) -> None:
    """Of a layer one node was changed; its block says so on both sides."""
    views = []
    for operator in ("Relu", "Sigmoid"):
        graph = transformer(400)
        nodes = list(graph.nodes)
        at = next(i for i, node in enumerate(nodes) if node.name == CHANGED)
        nodes[at] = replace(nodes[at], operator=operator)
        graph = replace(graph, nodes=tuple(nodes))
        blocks = folded(graph, outline(graph))
        views.append(GraphView(Model("onnx", graph), lay_out(graph), {}, {}, blocks, {}))
    names = [node.name for node in views[0].model.graph.nodes]
    pairs = [
        {
            "kind": "changed" if name == CHANGED else "same",
            "a": [name],
            "b": [name],
            "text": "",
            "changes": [],
        }
        for name in names
    ]
    counts = {"matched": 0, "compute": 0, "changed": 1, "added": 0, "removed": 0}
    result = from_json(
        DiffResult, {**counts, "folded": 0, "pairs": pairs, "inserted": [], "lost": []}
    )
    comparison, _ = _build(result, (views[0], views[1]), True)
    states = comparison.states(AFTER)
    scene = comparison.sides[AFTER].scene
    changed = [scene.boxes[box].title for box, state in states.items() if state == "changed"]
    assert changed == ["layer.3 ▸"]
    (text,) = comparison.texts(AFTER).values()
    assert text == "1 of 49 differ"
    box = next(box for box, state in states.items() if state == "changed")
    assert comparison.counterpart(AFTER, box) == box
    match = comparison.matches[comparison.differences[0]]
    assert match.operators == ("Relu", "Sigmoid")
    panes = LinkedPanes(Theming("dark"))
    qtbot.addWidget(panes)
    panes.show_comparison(comparison, ("before", "after"))
    opened: list[int] = []
    panes.opened.connect(opened.append)
    panes.panes[BEFORE].canvas.entered.emit(box)
    assert opened == comparison.differences


def test_figures_of_what_changed(view: CompareView) -> None:
    view.colors.set_index(2)
    overlay = view.panes.panes[AFTER].canvas._overlay
    assert overlay is not None
    assert [name for name, _ in overlay.keys] == ["less"]
    assert overlay.texts[box(view, AFTER, "Gemm")] == "10.4 kB (−75 %)"
    view.table.sort_by(5)
    deltas = [row.values[5] for row in view.table.content.rows]
    known = [value for value in deltas if value is not None]
    assert known == sorted(known, reverse=True)
    assert deltas[len(known) :] == [None] * (len(deltas) - len(known))


def test_one_variant_has_nothing_to_compare_with(digits_window: MainWindow, qtbot: QtBot) -> None:
    page = digits_window.page()
    assert isinstance(page, ModelPage)
    page.show_view(2)
    assert page.compare.alone.isVisible()
    page.compare.alone.button.click()
    assert digits_window._stage == "quantize"


def test_pairs_that_changed_places_are_passed_over() -> None:
    anchors = [(0.0, 0.0, 0.0), (1.0, 0.0, 90.0), (2.0, 0.0, 0.0), (3.0, 0.0, 5.0)]
    assert [height for height, _, _ in _rising(anchors)] == [0, 2, 3]
    assert _rising([]) == []


def test_sorting_keeps_the_selection(qtbot: QtBot) -> None:
    table = SortableTable(("Name", "Number"), (1,), (0, 80), "Things")
    qtbot.addWidget(table)
    chosen: list[object] = []
    table.chosen.connect(chosen.append)
    table.show_rows(
        [SortableRow(key, (key, ""), (key, n)) for key, n in (("b", 1), ("a", 3), ("c", None))]
    )
    table.select("a")
    for column, order in ((1, "abc"), (1, "bac"), (0, "abc"), (0, "cba")):
        table.sort_by(column)
        assert "".join(str(row.key) for row in table.content.rows) == order
        assert table.selected() == "a"
    assert chosen == []
    table.selectRow(0)
    assert chosen == ["c"]
