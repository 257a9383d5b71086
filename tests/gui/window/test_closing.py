"""Closing the window during a job: the question, and each of its answers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.gui.window.close_guard import ClosingDialog
from studio.gui.window.main_window import MainWindow
from studio.workspace import RunningJob, Workspace
from studio.workspace.job_history import JobHistory
from tests.gui.conftest import DIGITS
from tests.rigs.patience import patience

JOB_MS = 30_000


@pytest.fixture
def job(digits_window: MainWindow) -> RunningJob:
    """A profile that takes ten minutes."""
    started = digits_window.start("profile", model=["#1"], mode="sustained", minutes=10.0)
    assert started is not None
    return started


@pytest.fixture
def quits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether the program was told to end."""
    found: list[bool] = []
    monkeypatch.setattr(QGuiApplication, "quit", lambda: found.append(True))
    yield found
    QGuiApplication.setQuitOnLastWindowClosed(True)


def asked(window: MainWindow) -> ClosingDialog:
    window.close()
    assert window.isVisible()
    dialog = window.closing.dialog
    assert dialog is not None
    return dialog


def test_without_a_job_the_window_closes(digits_window: MainWindow) -> None:
    digits_window.close()
    assert not digits_window.isVisible()


def test_the_question_names_the_job_and_escape_stays(
    digits_window: MainWindow, job: RunningJob, qtbot: QtBot
) -> None:
    dialog = asked(digits_window)
    assert dialog.text() == f"{job.title} has not finished."
    assert [one.text() for one in (dialog.background, dialog.stop, dialog.stay)] == [
        "Continue in the background",
        "Stop and keep",
        "Stay",
    ]
    digits_window.close()
    assert digits_window.closing.dialog is dialog
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert digits_window.closing.dialog is None
    assert digits_window.isVisible()
    assert job.running


def test_enter_presses_the_focused_button(
    digits_window: MainWindow, job: RunningJob, qtbot: QtBot
) -> None:
    dialog = asked(digits_window)
    dialog.stop.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is dialog.stop)
    qtbot.keyClick(dialog.stop, Qt.Key.Key_Return)
    assert not digits_window.isVisible()


def test_what_was_stopped_is_interrupted_at_the_next_start(
    digits_window: MainWindow, job: RunningJob, qtbot: QtBot
) -> None:
    asked(digits_window).stop.click()
    digits_window.workspace.close()
    (entry, *_) = digits_window.workspace.activity.entries()
    assert (entry.id, entry.state) == (job.id, "interrupted")


def test_in_the_background_the_job_ends_before_the_program(
    digits_window: MainWindow, job: RunningJob, qtbot: QtBot, quits: list[bool]
) -> None:
    asked(digits_window).background.click()
    assert not digits_window.isVisible()
    assert digits_window.closing._watch.isActive()
    qtbot.wait(1200)
    assert job.running
    assert quits == []
    job.cancel()  # as its end
    qtbot.waitUntil(lambda: bool(quits), timeout=JOB_MS)
    assert not job.running


@pytest.mark.parametrize(("wish", "runs"), [("stop", False), ("background", True)])
def test_the_setting_answers_for_the_user(
    digits_window: MainWindow, job: RunningJob, wish: str, runs: bool, quits: list[bool]
) -> None:
    digits_window.workspace.settings["closing"] = wish
    digits_window.close()
    assert digits_window.closing.dialog is None
    assert not digits_window.isVisible()
    assert digits_window.closing._watch.isActive() is runs


def test_a_watch_is_nothing_to_ask_about(digits_window: MainWindow) -> None:
    assert digits_window.start("monitor", target="local") is not None
    digits_window.close()
    assert not digits_window.isVisible()


@pytest.mark.slow
def test_the_program_ends_by_itself_after_the_last_job(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Workspace.open(home) as workspace:
        assert workspace.run("open", model=str(DIGITS)).ok
        workspace.settings["closing"] = "background"
    program = (
        "import sys\n"
        "from PySide6.QtCore import QTimer\n"
        "from studio.gui import app\n"
        "def close(window):\n"
        "    assert window.start('profile', model=['#1'], seconds=1.0) is not None\n"
        "    window.close()\n"
        "    print('visible' if window.isVisible() else 'hidden', flush=True)\n"
        "attach = app.attach\n"
        "def attached(window, workspace):\n"
        "    attach(window, workspace)\n"
        "    QTimer.singleShot(0, lambda: close(window))\n"
        "app.attach = attached\n"
        "sys.exit(app.run([]))\n"
    )
    env = {**os.environ, "EDGEWRIGHT_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=env,
        capture_output=True,
        text=True,
        timeout=patience(60.0),
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "hidden\n"), done.stderr
    (entry, *_) = JobHistory(home / "data" / "activity").entries()
    assert (entry.step, entry.state) == ("profile", "done")


def test_a_closed_window_starts_nothing(digits_window: MainWindow) -> None:
    """The timer of a page may end after the close, when there is no registry any more."""
    digits_window.close()
    assert digits_window.start("profile", model=["#1"]) is None
    assert not digits_window.workspace.jobs
