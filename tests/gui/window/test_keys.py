"""Keys that belong to no part, the help, and the overlay of a drag."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.window.drop_overlay import outcome_of
from studio.gui.window.keys import press
from studio.gui.window.main_window import MainWindow
from studio.gui.window.side.help_panel import HelpPanel, page_helps
from studio.gui.window.stages import BY_ID
from tests.gui.conftest import DIGITS

CONTROL = Qt.KeyboardModifier.ControlModifier
SUFFIXES = (".onnx", ".tflite")


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_enter_presses_the_focused_button_once(
    window: MainWindow, qtbot: QtBot, key: Qt.Key
) -> None:
    pressed: list[bool] = []
    probe = QPushButton("Probe", window.page())
    probe.clicked.connect(lambda: pressed.append(True))
    probe.show()
    probe.setFocus()
    qtbot.keyClick(probe, key)
    assert pressed == [True]
    probe.setEnabled(False)
    assert not press(probe)
    assert pressed == [True]


def test_enter_in_a_field_presses_no_button(window: MainWindow, qtbot: QtBot) -> None:
    pressed: list[bool] = []
    page = window.page()
    page.drop.choose.clicked.disconnect()
    page.drop.choose.clicked.connect(lambda: pressed.append(True))
    field = QLineEdit(page)
    field.show()
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert pressed == []


def test_control_enter_presses_the_primary_of_the_page(
    digits_window: MainWindow, qtbot: QtBot
) -> None:
    digits_window.go("profile")
    page = digits_window.page()
    pressed: list[bool] = []
    page.primary.clicked.disconnect()
    page.primary.clicked.connect(lambda: pressed.append(True))
    qtbot.keyClick(digits_window, Qt.Key.Key_Return, CONTROL)
    assert pressed == [True]
    page.primary.setEnabled(False)
    qtbot.keyClick(digits_window, Qt.Key.Key_Return, CONTROL)
    assert pressed == [True]


def test_the_palette_has_the_reason_for_no_primary(window: MainWindow) -> None:
    entries = {entry.title: entry for source in window.commands.sources() for entry in source()}
    assert entries["Press the primary button of the page"].reason == (
        "This page has no primary button."
    )


def test_control_period_cancels_the_job_shown(digits_window: MainWindow, qtbot: QtBot) -> None:
    job = digits_window.start("profile", model=["#1"], mode="sustained", minutes=10.0)
    assert job is not None
    qtbot.keyClick(digits_window, Qt.Key.Key_Period, CONTROL)
    qtbot.waitUntil(lambda: not job.running, timeout=30_000)
    assert job.outcome.end.value == "cancelled"


def test_every_page_has_help() -> None:
    helps = page_helps()
    assert set(helps) == set(BY_ID)
    assert all(one.purpose.endswith(".") for one in helps.values())


def test_f1_shows_the_help_of_the_page_and_its_keys(
    digits_window: MainWindow, qtbot: QtBot
) -> None:
    digits_window.go("profile")
    qtbot.keyClick(digits_window, Qt.Key.Key_F1)
    panel = digits_window.side.shown
    assert isinstance(panel, HelpPanel)
    assert panel.heading.text() == "Help: Profile"
    assert panel.purpose.text() == page_helps()["profile"].purpose
    digits_window.toggle_jobs()
    assert digits_window.side.shown is not panel
    assert panel.isHidden()
    qtbot.keyClick(digits_window, Qt.Key.Key_F1)
    qtbot.keyClick(digits_window, Qt.Key.Key_F1)
    assert digits_window.side.shown is None


def test_a_panel_keeps_to_the_right_edge(window: MainWindow, qtbot: QtBot) -> None:
    window.toggle_help()
    panel = window.side.shown
    for size in ((1280, 800), (960, 600)):
        window.resize(*size)
        QApplication.processEvents()
        assert panel.geometry().right() == window.width() - 1
        assert panel.y() == window.topbar.height()
        assert panel.geometry().bottom() < window.height() - window.jobbar.height() + 1


@pytest.mark.parametrize(
    ("names", "title", "accepted"),
    [
        (["a.onnx"], "Open a.onnx", True),
        (["A.ONNX"], "Open A.ONNX", True),
        (["a.onnx", "b.tflite"], "Open 2 models", True),
        (["a.onnx", "notes.txt"], "Open a.onnx", True),
        (["notes.txt"], "Not a model: notes.txt", False),
        (["a.txt", "b.txt"], "Not a model: 2 files", False),
    ],
)
def test_what_a_drop_will_do(names: list[str], title: str, accepted: bool) -> None:
    found = outcome_of([Path(name) for name in names], SUFFIXES)
    assert (found[0], found[2]) == (title, accepted)


def test_the_overlay_is_there_while_a_file_is_dragged(window: MainWindow) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(DIGITS))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier
    enter = QDragEnterEvent(QPointF(9, 9).toPoint(), copy, data, left, none.NoModifier)
    QApplication.sendEvent(window, enter)
    assert window.overlay.isVisible()
    assert window.overlay.size() == window.size()
    assert window.overlay.title.text() == "Open digits.onnx"
    QApplication.sendEvent(window, QEvent(QEvent.Type.DragLeave))
    assert window.overlay.isHidden()
