"""Keys that belong to no part, the help, and the overlay of a drag."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.window.keys import press
from studio.gui.window.main_window import MainWindow
from studio.gui.window.side.help_panel import HelpPanel, page_help
from studio.gui.window.stages import BY_ID

CONTROL = Qt.KeyboardModifier.ControlModifier


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
    assert [name for name in BY_ID if not page_help(BY_ID[name]).purpose.endswith(".")] == []


def test_f1_shows_the_help_of_the_page_and_its_keys(
    digits_window: MainWindow, qtbot: QtBot
) -> None:
    digits_window.go("profile")
    qtbot.keyClick(digits_window, Qt.Key.Key_F1)
    panel = digits_window.side.shown
    assert isinstance(panel, HelpPanel)
    assert panel.heading.text() == "Help: Profile"
    assert panel.purpose.text() == page_help(BY_ID["profile"]).purpose
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
