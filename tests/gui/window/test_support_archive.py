"""Saving a support archive from the window, and Qt's own messages in the log."""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import qWarning
from PySide6.QtWidgets import QFileDialog, QMessageBox
from pytestqt.qtbot import QtBot

from studio.gui.qt_messages import qt_messages_logged
from studio.gui.window.dialogs import support
from studio.gui.window.dialogs.support import ArchiveList
from studio.settings import Paths
from studio.settings.logging import recording
from studio.workspace.diagnosis import DoctorCheck


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(support, "examine", lambda: [DoctorCheck("registry", True, "fine")])


def answer(button: QMessageBox.StandardButton) -> Callable[[ArchiveList], int]:
    def click(dialog: ArchiveList) -> int:
        assert "doctor.json" in dialog.informativeText(), "the files are listed before they go"
        dialog.show()
        dialog.button(button).click()
        return 0

    return click


def save(window: Any) -> None:
    (action,) = [one for one in window.actions() if one.objectName() == "support"]
    assert action.text() == "Save a support archive…"
    action.trigger()


def test_it_is_saved_where_the_user_says(
    make_window: Any, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "support.zip"
    monkeypatch.setattr(ArchiveList, "exec", answer(QMessageBox.StandardButton.Save))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *rest: (str(path), ""))
    window = make_window()
    save(window)
    qtbot.waitUntil(path.exists)
    qtbot.waitUntil(lambda: "Nothing was sent" in window.toasts.texts)
    assert "doctor.json" in zipfile.ZipFile(path).namelist()


def test_cancelled_it_asks_for_no_place(
    make_window: Any, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    shown: list[object] = []
    cancel = answer(QMessageBox.StandardButton.Cancel)
    monkeypatch.setattr(ArchiveList, "exec", lambda dialog: shown.append(cancel(dialog)))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *rest: asked.append(rest))
    save(make_window())
    qtbot.waitUntil(lambda: bool(shown))
    assert asked == []


def test_what_the_window_tells_as_an_error_is_logged(
    make_window: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "studio"):
        make_window().fail(ValueError("odd"))
    assert "shown to the user: odd" in caplog.text


def test_messages_of_qt_are_logged_and_still_printed(
    qapp: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = Paths.of(home=tmp_path)
    paths.data.mkdir()
    with recording(paths), qt_messages_logged():
        qWarning("odd \x1b[2J")
    (line,) = [json.loads(one) for one in (paths.logs / "studio.log").read_text().splitlines()]
    assert (line["level"], line["logger"]) == ("WARNING", "studio.gui.qt_messages")
    assert line["message"] == "odd \x1b[2J"
    assert "odd" in capsys.readouterr().err
