"""Paths on the canvas by buttons and keys, and the keys that are shown to who asks."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from studio.gui.graph.keyboard import KEYS, handle_key
from studio.gui.graph.view import GraphPane
from studio.gui.theme import Theming
from tests.gui.conftest import visible
from tests.gui.graph.test_canvas import diamond

_KEYS = {
    "↑": Qt.Key.Key_Up,
    "↓": Qt.Key.Key_Down,
    "←": Qt.Key.Key_Left,
    "→": Qt.Key.Key_Right,
    "Page↑": Qt.Key.Key_PageUp,
    "Page↓": Qt.Key.Key_PageDown,
    "Enter": Qt.Key.Key_Return,
    "Esc": Qt.Key.Key_Escape,
    "Home": Qt.Key.Key_Home,
    "End": Qt.Key.Key_End,
    "Backspace": Qt.Key.Key_Backspace,
    "+": Qt.Key.Key_Plus,
    "−": Qt.Key.Key_Minus,
    "?": Qt.Key.Key_Question,
}


@pytest.fixture
def pane(qtbot: QtBot) -> GraphPane:
    made = GraphPane(Theming("dark"))
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    made.show_scene(diamond())
    return made


def test_buttons_light_up_what_lies_before_and_behind(pane: GraphPane, qtbot: QtBot) -> None:
    paths, canvas = pane.paths, pane.canvas
    assert not paths.up.isEnabled()
    assert paths.up.toolTip() == "Highlight ancestors (A). Select a node first."
    canvas.select(2)
    assert not paths.clear.isEnabled()
    paths.up.click()
    assert canvas.traced == {0, 1, 2}
    paths.down.click()
    assert canvas.traced == {2, 4, 6}
    assert (paths.up.isChecked(), paths.down.isChecked()) == (False, True)
    paths.both.click()
    assert canvas.traced == {0, 1, 2, 4, 6}
    assert canvas.accessibleDescription().endswith("5 lit")
    paths.clear.click()
    assert canvas.traced == frozenset()
    assert not paths.both.isChecked()
    qtbot.keyClick(canvas, Qt.Key.Key_S)
    assert paths.both.isChecked()
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert (canvas.traced, canvas.selected) == (frozenset(), 2)
    paths.down.click()
    paths.down.click()
    assert canvas.traced == frozenset()


def test_every_button_has_a_name_and_tells_its_key(pane: GraphPane) -> None:
    for item in (pane.paths.up, pane.paths.down, pane.paths.both, pane.paths.clear):
        assert item.accessibleName().endswith(")")
        assert item.accessibleName() in item.toolTip()
    assert pane.paths.help.toolTip() == "Keys of the graph (?)"


def test_the_keys_are_shown_over_the_graph(pane: GraphPane, qtbot: QtBot) -> None:
    qtbot.keyClick(pane.canvas, Qt.Key.Key_Question)
    assert pane.help.isVisible()
    shown = {one.text() for one in visible(pane.help, QLabel) if isinstance(one, QLabel)}
    assert {"A", "Highlight ancestors (dependencies)"} <= shown
    qtbot.keyClick(pane.help, Qt.Key.Key_Escape)
    assert not pane.help.isVisible()
    pane.paths.help.click()
    assert pane.help.isVisible()
    qtbot.mouseClick(pane.help, Qt.MouseButton.LeftButton)
    assert not pane.help.isVisible()


def test_every_key_that_is_shown_does_something(pane: GraphPane) -> None:
    for _, rows in KEYS:
        for keys, text in rows:
            for name in keys.split():
                if name == "Shift":
                    continue
                pane.canvas.select(2)
                key = _KEYS.get(name) or getattr(Qt.Key, f"Key_{name}")
                event = QKeyEvent(QKeyEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
                assert handle_key(pane.canvas, event), f"{name}: {text}"
    unknown = QKeyEvent(QKeyEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert not handle_key(pane.canvas, unknown)
