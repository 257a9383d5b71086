"""The drawer below the graph: numbers as a table, edits, and whether the model runs elsewhere."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.forms.editors import TextEditor
from studio.gui.pages.model.drawer import COVERAGE, EDITS, NUMBERS, Drawer
from studio.gui.pages.model.edit_list import EditList
from studio.gui.pages.model.facts import origin
from studio.gui.pages.model.node_metric_sources import sources_of
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from studio.quantization.results import LayerTiming, QuantizeResult, SearchReport
from studio.workspace import Recorded
from tests.gui.conftest import open_graph, shown_scene, visible

JOB_MS = 30_000


@pytest.fixture
def page(digits_window: MainWindow) -> ModelPage:
    shown = digits_window.page()
    assert isinstance(shown, ModelPage)
    return shown


def box(page: ModelPage, title: str) -> int:
    scene = page.pane.canvas.scene
    assert scene is not None
    return next(index for index, one in enumerate(scene.boxes) if one.title == title)


def colours(page: ModelPage) -> tuple[int, str]:
    overlay = page.pane.canvas._overlay
    return page.colors.index(), overlay.title if overlay is not None else ""


def test_tools_open_by_keyboard_and_close(page: ModelPage, qtbot: QtBot) -> None:
    drawer = page.drawer
    assert not drawer.tools.isVisible()
    drawer.buttons[NUMBERS].setFocus()
    qtbot.keyClick(drawer.buttons[NUMBERS], Qt.Key.Key_Space)
    assert drawer.numbers.isVisible()
    qtbot.keyClick(drawer.buttons[NUMBERS], Qt.Key.Key_Space)
    assert not drawer.tools.isVisible()
    for button in visible(drawer, QPushButton):
        assert button.accessibleName()


def test_an_open_tool_takes_the_room_of_the_inspector_in_a_narrow_window(
    page: ModelPage, digits_window: MainWindow, qtbot: QtBot
) -> None:
    digits_window.resize(960, 600)
    assert digits_window.inspector.isVisible()
    page.drawer.open(NUMBERS)
    assert not digits_window.inspector.isVisible()
    digits_window.resize(1280, 800)
    qtbot.waitUntil(digits_window.inspector.isVisible)
    centre = digits_window.centralWidget()
    qtbot.waitUntil(lambda: centre.geometry().right() < digits_window.inspector.x())
    assert digits_window.inspector.geometry().right() == digits_window.width() - 1
    digits_window.resize(960, 600)
    qtbot.waitUntil(lambda: not digits_window.inspector.isVisible())
    page.drawer.toggle(NUMBERS)
    assert digits_window.inspector.isVisible()


def test_numbers_and_graph_select_in_each_other(page: ModelPage, qtbot: QtBot) -> None:
    page.drawer.open(NUMBERS)
    numbers = page.drawer.numbers
    sources = [numbers.combo.itemText(i) for i in range(numbers.combo.count())]
    # Its batch is open: bytes written are not known.
    assert sources == ["MACs", "Weights", "Sparsity of weights"]
    numbers.combo.setCurrentIndex(1)
    numbers.combo.activated.emit(1)
    assert colours(page) == (-1, "Size of a node's constants")
    qtbot.waitUntil(lambda: numbers.total.text() == "116.3 kB in 3 nodes")
    rows = [row.texts for row in numbers.table.content.rows]
    assert rows[0] == ("Conv", "conv2", "74.0 kB", "63.6 %", "")
    numbers.copy.click()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0] == "operator,node,value,share,remark,number"
    assert lines[1] == "Conv,conv2,74.0 kB,63.6 %,,73984.0"
    assert len(lines) == 4
    page.pane.canvas.select(box(page, "Gemm"))
    assert numbers.table.selected() == box(page, "Gemm")
    numbers.table.selectRow(0)
    selected = page.pane.canvas.selected
    assert page.pane.canvas.scene is not None
    assert selected is not None
    assert page.pane.canvas.scene.boxes[selected].name == "conv2"
    page.colors.set_index(0)
    assert colours(page) == (0, "")


def test_a_profile_is_a_source(page: ModelPage, qtbot: QtBot) -> None:
    job = page.workspace.start("profile", model=["#1"], operators=True, seconds=2, rounds=4)
    qtbot.waitUntil(lambda: job.outcome is not None, timeout=2 * JOB_MS)
    assert job.outcome is not None
    assert job.outcome.ok, job.outcome.sentence
    page.drawer.open(NUMBERS)
    numbers = page.drawer.numbers
    qtbot.waitUntil(lambda: numbers.combo.count() == 5)
    numbers.combo.setCurrentIndex(2)
    assert numbers.combo.currentText().startswith("Time · ")
    numbers.paint()
    current, legend = colours(page)
    assert current == -1
    assert legend.startswith("Time of a node in an inference (100 % of the kernels' time, profil")
    qtbot.waitUntil(lambda: "Flatten" in {row.texts[0] for row in numbers.table.content.rows})
    numbers.combo.setCurrentIndex(3)
    assert numbers.combo.currentText().startswith("Placement · ")
    numbers.paint()
    overlay = page.pane.canvas._overlay
    assert overlay is not None
    assert (overlay.title, dict(overlay.counts)) == (
        "Execution provider of a node",
        {"cpu": 5},
    )  # both Relu are part of a Conv


def test_an_analyzer_is_offered_by_its_title_and_computed_when_it_is_chosen(
    page: ModelPage, qtbot: QtBot
) -> None:
    page.drawer.open(NUMBERS)
    numbers = page.drawer.numbers
    place = numbers.combo.findText("Sparsity of weights")
    numbers.combo.setCurrentIndex(place)
    assert numbers.source() is None  # nothing is computed, and so nothing exported, by looking
    assert numbers._analyses.known(**numbers._analysis("sparsity")) is None
    numbers.combo.activated.emit(place)
    qtbot.waitUntil(lambda: colours(page) == (-1, "Sparsity of weights"), timeout=JOB_MS)
    qtbot.waitUntil(lambda: len(numbers.table.content.rows) == 3)
    assert {row.texts[1] for row in numbers.table.content.rows} == {"conv1", "conv2", "dense"}
    assert {row.texts[3] for row in numbers.table.content.rows} == {""}, "shares do not add up"
    assert numbers.combo.currentText() == "Sparsity of weights"


def test_numbers_of_a_file(page: ModelPage, qtbot: QtBot, tmp_path: Path) -> None:
    page.drawer.open(NUMBERS)
    numbers = page.drawer.numbers
    file = tmp_path / "drift.json"
    file.write_text('{"values": {"conv1": -2.5, "conv2": 7.5}, "unit": "dB", "title": "Drift"}')
    numbers.open_file(file)
    assert numbers.combo.currentText() == "Drift"
    assert colours(page) == (-1, "Drift")
    overlay = page.pane.canvas._overlay
    assert overlay is not None
    assert (overlay.least, overlay.most) == ("−2 dB", "8 dB")
    qtbot.waitUntil(lambda: len(numbers.table.content.rows) == 2)
    assert [row.texts[1] for row in numbers.table.content.rows] == ["conv2", "conv1"]
    file.write_text("{}")
    numbers.open_file(file)
    assert numbers.combo.count() == 4


def test_a_quantization_tells_of_its_layers(page: ModelPage) -> None:
    assert page.view is not None
    layers = {"conv2": LayerTiming(20.0, 9.0, 4.0), "gemm": LayerTiming(40.0, 9.0, 4.0)}
    result = QuantizeResult(
        variant=1,
        name="int8",
        facts={"operators": ["Conv", "Gemm"], "kept": {"conv1": "first layer"}},
        search=SearchReport(layers=layers),
    )
    run = Recorded(1, 1, {}, "2026-11-24T00:00:00+00:00", result)
    found = {one.title: one for one in sources_of(page.view, page.variant, (), [run])}
    error = found["Quantization error · int8"]
    assert {name: error.text(value) for name, value in error.values.items()} == {
        "conv2": "20.0 dB",
        "gemm": "40.0 dB",
    }
    precision = found["Precision of layers · int8"]
    assert precision.states["conv1"] == "float"
    assert precision.states["conv2"] == "quantized"
    assert precision.notes == {"conv1": "first layer"}
    page.drawer.open(NUMBERS)
    numbers = page.drawer.numbers
    numbers._files.append(precision)
    numbers.refresh_runs()
    numbers.combo.setCurrentText(precision.title)
    numbers.paint()
    overlay = page.pane.canvas._overlay
    assert overlay is not None
    assert [name for name, _ in overlay.keys] == ["quantized", "float"]


def forms_of(drawer: Drawer, qtbot: QtBot) -> list[str]:
    drawer.open(EDITS)
    qtbot.waitUntil(lambda: bool(drawer.surgery.forms), timeout=JOB_MS)
    return list(drawer.surgery.forms)


def add(drawer: Drawer, name: str, **values: object) -> None:
    drawer.surgery.combo.setCurrentIndex(list(drawer.surgery.forms).index(name))
    drawer.surgery.forms[name].set_values(values)
    drawer.surgery.add.click()


def test_edits_are_tried_and_kept(digits_window: MainWindow, page: ModelPage, qtbot: QtBot) -> None:
    surgery = page.drawer.surgery
    assert {"rename", "dimensions", "extract", "prune"} <= set(forms_of(page.drawer, qtbot))
    assert surgery.hint.isVisible()
    assert surgery.attempt.toolTip() == "Add an edit first."
    add(page.drawer, "rename", names=["image=picture"])
    add(page.drawer, "prune")
    assert surgery.edits.edits == ("rename image=picture", "prune")
    surgery.undo.click()
    assert surgery.edits.edits == ("rename image=picture",)
    surgery.redo.click()
    surgery.attempt.click()
    qtbot.waitUntil(lambda: not surgery.strip.running, timeout=JOB_MS)
    assert "outputs match on 3 samples" in surgery.table.item(0, 1).text()
    assert len(page.workspace.registry.variants()) == 1
    # What was tried is known for as long as what is before it stays the same.
    surgery.undo.click()
    surgery.undo.click()
    add(page.drawer, "rename", names=["image=picture"])
    assert "outputs match" in surgery.table.item(0, 1).text()
    add(page.drawer, "rename", names=["logits=scores"])
    assert surgery.table.item(1, 1).text() == "not applied yet"
    surgery.name.setText("renamed")
    surgery.save.click()
    qtbot.waitUntil(lambda: len(page.workspace.registry.variants()) == 2, timeout=JOB_MS)
    qtbot.waitUntil(lambda: page.variant is not None and page.variant.name == "renamed")
    qtbot.waitUntil(lambda: shown_scene(digits_window))
    assert page.pane.canvas.scene is not None
    assert page.pane.canvas.scene.boxes[0].name == "picture"
    assert surgery.edits.edits == ()
    said = digits_window.toasts.texts
    assert said == "Saved as renamed, from fp32 by 2 edits."
    assert page.variant is not None
    fields = dict(origin(page.variant, "fp32"))
    assert (fields["Parent"], fields["Created by"]) == ("fp32", "edit")
    assert fields["Edit 1"].startswith("rename image=picture: image is now picture; outputs match")


def test_an_edit_that_does_not_fit_is_said(
    digits_window: MainWindow, page: ModelPage, qtbot: QtBot
) -> None:
    forms_of(page.drawer, qtbot)
    surgery = page.drawer.surgery
    surgery.combo.setCurrentIndex(0)
    surgery.add.click()
    assert surgery.edits.edits == ()
    assert surgery.forms["rename"].fields["names"].complaint.isVisible()
    add(page.drawer, "rename", names=["imag=x"])
    surgery.attempt.click()
    qtbot.waitUntil(lambda: not surgery.strip.running, timeout=JOB_MS)
    assert "no value 'imag'" in digits_window.toasts.texts
    assert surgery.table.item(0, 1).text().startswith("failed: The model has no value 'imag'")
    assert surgery.attempt.isEnabled()


def test_the_menu_of_a_node_fills_a_form(page: ModelPage, qtbot: QtBot) -> None:
    canvas = page.pane.canvas
    canvas.select(box(page, "Gemm"))
    where = canvas.box_rectangle(box(page, "Gemm")).center().toPoint()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, canvas.mapToGlobal(where))
    QApplication.sendEvent(canvas, event)
    menu = page.drawer.menu
    edits = menu.actions()[-3:]
    titles = [action.text() for action in edits]
    assert titles == ["Rename “logits”…", "Extract from here", "Extract up to here"]
    edits[0].trigger()
    menu.close()
    surgery = page.drawer.surgery
    qtbot.waitUntil(lambda: "rename" in surgery.forms, timeout=JOB_MS)
    editor = surgery.forms["rename"].fields["names"].editor
    assert isinstance(editor, TextEditor)
    assert editor.line.text() == "logits="
    qtbot.keyClicks(editor.line, "scores")
    qtbot.keyClick(editor.line, Qt.Key.Key_Return)
    assert surgery.edits.edits == ("rename logits=scores",)


def test_names_are_offered_after_a_comma(page: ModelPage, qtbot: QtBot) -> None:
    forms_of(page.drawer, qtbot)
    editor = page.drawer.surgery.forms["extract"].fields["end"].editor
    assert isinstance(editor, TextEditor)
    editor.line.setText("relu1, conv")
    completer = editor.line.completer()
    completer.setCompletionPrefix(completer.splitPath(editor.line.text())[0])
    offered = [
        completer.pathFromIndex(completer.completionModel().index(row, 0))
        for row in range(completer.completionCount())
    ]
    assert offered == ["relu1, conv1", "relu1, conv2"]


def test_it_runs_there(page: ModelPage, qtbot: QtBot) -> None:
    page.drawer.open(COVERAGE)
    coverage = page.drawer.coverage
    assert coverage.hint.isVisible()
    coverage.check.click()
    qtbot.waitUntil(lambda: not coverage.strip.running, timeout=JOB_MS)
    assert (coverage.verdict.text(), coverage.table.isVisible()) == ("compatible", False)
    assert colours(page) == (0, "")


def test_nodes_at_fault_are_painted(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    open_graph(window, qtbot, foreign(tmp_path / "foreign.onnx"))
    page = window.page()
    assert isinstance(page, ModelPage)
    page.drawer.open(COVERAGE)
    coverage = page.drawer.coverage
    coverage.form.set_values({"runtime": "1.17"})
    qtbot.keyClick(coverage.form.fields["runtime"].editor.focusProxy(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: coverage.verdict.text() == "incompatible", timeout=JOB_MS)
    assert colours(page) == (-1, "Compatibility")
    overlay = page.pane.canvas._overlay
    assert overlay is not None
    assert set(overlay.texts) == {box(page, "Magic")}
    coverage.table.selectRow(0)
    assert page.pane.canvas.selected == box(page, "Magic")


def foreign(path: Path) -> Path:
    """An operator of a domain that no runtime has."""
    floats = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], name="relu"),
        helper.make_node("Magic", ["r"], ["y"], name="magic", domain="house"),
    ]
    graph = helper.make_graph(nodes, "graph", floats[:1], floats[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("house", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path


def test_history_of_edits() -> None:
    edits = EditList()
    edits.add("a")
    edits.add("b")
    edits.remove(0)
    assert edits.edits == ("b",)
    edits.undo()
    edits.undo()
    assert (edits.edits, edits.can_redo) == (("a",), True)
    edits.add("c")
    assert (edits.edits, edits.can_redo) == (("a", "c"), False)
    for _ in range(5):
        edits.undo()
    assert (edits.edits, edits.can_undo) == ((), False)


def test_the_menu_key_means_the_selected_node(page: ModelPage, qtbot: QtBot) -> None:
    canvas = page.pane.canvas
    canvas.select(box(page, "Gemm"))
    corner = QPoint(1, 1)
    assert canvas.scene is not None
    under = canvas.viewport.to_scene(QPointF(corner))
    assert canvas.scene.box_at(under.x(), under.y()) is None
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, corner, canvas.mapToGlobal(corner))
    QApplication.sendEvent(canvas, event)
    assert page.drawer.menu.actions()[-3].text() == "Rename “logits”…"
    page.drawer.menu.close()
