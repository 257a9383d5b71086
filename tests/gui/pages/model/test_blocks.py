"""Blocks and functions of a model: entered by mouse, keyboard and inspector, left by the trail."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.graph.breadcrumbs import steps_to
from studio.gui.pages.model.page import ModelPage
from studio.gui.window.main_window import MainWindow
from tests.gui.conftest import open_graph, visible

JOB_MS = 20_000


def floats(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def nested(folder: Path) -> Path:
    """A function, and an If whose branch holds another If."""
    leaf = helper.make_graph([helper.make_node("Neg", ["x"], ["n"])], "leaf", [], [floats("n")])
    other = helper.make_graph([helper.make_node("Abs", ["x"], ["o"])], "other", [], [floats("o")])
    inner = helper.make_node(
        "If", ["flag"], ["i"], name="inner", then_branch=leaf, else_branch=other
    )
    then = helper.make_graph([inner], "then", [], [floats("i")])
    outer = helper.make_node(
        "If", ["flag"], ["c"], name="a/outer", then_branch=then, else_branch=other
    )
    call = helper.make_node("Twice", ["c"], ["y"], name="call", domain="mine")
    opset = helper.make_opsetid("", 17)
    twice = helper.make_function(
        "mine", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [opset]
    )
    graph = helper.make_graph(
        [outer, call],
        "main",
        [floats("x"), helper.make_tensor_value_info("flag", TensorProto.BOOL, [])],
        [floats("y")],
    )
    model = helper.make_model(
        graph,
        functions=[twice],
        opset_imports=[opset, helper.make_opsetid("mine", 1)],
        ir_version=9,
    )
    path = folder / "nested.onnx"
    onnx.save(model, str(path))
    return path


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> ModelPage:
    open_graph(window, qtbot, nested(tmp_path))
    shown = window.page()
    assert isinstance(shown, ModelPage)
    return shown


def titles(page: ModelPage) -> list[str]:
    scene = page.pane.canvas.scene
    return [] if scene is None else [box.title for box in scene.boxes if box.node is not None]


def select(page: ModelPage, title: str) -> None:
    scene = page.pane.canvas.scene
    assert scene is not None
    page.pane.canvas.select([box.title for box in scene.boxes].index(title))


def test_blocks_are_entered_and_left(page: ModelPage, qtbot: QtBot) -> None:
    assert titles(page) == ["If ▸", "Twice ▸"]
    assert not page.trail.isVisible()
    select(page, "If ▸")
    inspector = page.inspector()
    assert inspector is not None
    (button,) = [
        one for one in inspector.findChildren(QPushButton) if one.text() == "then_branch (1 node)"
    ]
    button.click()
    qtbot.waitUntil(lambda: titles(page) == ["If ▸"])
    assert page.trail.isVisible()
    select(page, "If ▸")
    page.enter("else_branch")
    qtbot.waitUntil(lambda: titles(page) == ["Abs"])
    qtbot.waitUntil(lambda: len(visible(page.trail, QPushButton)) == 2)
    steps = visible(page.trail, QPushButton)
    assert [getattr(one, "text", str)() for one in steps] == ["Main graph", "a/outer · then_branch"]
    steps[0].click()
    qtbot.waitUntil(lambda: titles(page) == ["If ▸", "Twice ▸"])
    assert not page.trail.isVisible()


def test_enter_opens_a_function(page: ModelPage, qtbot: QtBot) -> None:
    select(page, "Twice ▸")
    qtbot.keyClick(page.pane.canvas, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: titles(page) == ["Add"])


def test_enter_asks_which_block(page: ModelPage, qtbot: QtBot) -> None:
    select(page, "If ▸")
    qtbot.keyClick(page.pane.canvas, Qt.Key.Key_Return)
    assert [action.text() for action in page._menu.actions()] == ["else_branch", "then_branch"]
    page._menu.actions()[0].trigger()
    qtbot.waitUntil(lambda: titles(page) == ["Abs"])
    page._menu.close()


def test_the_way_to_a_part() -> None:
    known = {"a/b/then", "a/b/then/c/else", "mine:Twice", "a"}
    assert steps_to("a/b/then/c/else", known - {"a"}) == [
        ("a/b/then", "a/b · then"),
        ("a/b/then/c/else", "c · else"),
    ]
    assert steps_to("mine:Twice", known) == [("mine:Twice", "mine:Twice")]
