"""A draft of a preprocess.toml by a click: shown, confirmed, written, and used by the project."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from studio.gui.pages.project.page import ProjectPage
from studio.gui.pages.shared.question import Question
from studio.gui.window.main_window import MainWindow
from tests.gui.pages.project.conftest import JOB_MS, opened
from tests.gui.pages.project.test_page import entries

DRAFT = "Write a draft…"


def question(page: ProjectPage, qtbot: QtBot) -> Question:
    entries(page, "preprocess")[DRAFT].trigger()
    qtbot.waitUntil(lambda: page.draft.question is not None, timeout=JOB_MS)
    assert page.draft.question is not None
    return page.draft.question


def test_a_draft_is_shown_written_and_picked_up(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    file = folder / "preprocess.toml"
    file.unlink()
    page = opened(window, qtbot, folder / "digits.onnx")
    shown = question(page, qtbot)
    text = shown.informativeText()
    assert text.startswith(str(file))
    assert 'layout = "NCHW"' in text
    assert not file.exists(), "not before it is confirmed"
    shown.confirm.click()
    project = window.project
    qtbot.waitUntil(lambda: project.value.preprocess == str(file), timeout=JOB_MS)  # type: ignore[union-attr]
    assert file.read_text() in text
    assert DRAFT not in entries(page, "preprocess")


def test_a_cancelled_draft_writes_nothing(window: MainWindow, qtbot: QtBot, folder: Path) -> None:
    (folder / "preprocess.toml").unlink()
    page = opened(window, qtbot, folder / "digits.onnx")
    question(page, qtbot).cancel.click()
    assert not (folder / "preprocess.toml").exists()
    assert not page.strip.running


def test_a_file_that_came_since_is_not_replaced(
    window: MainWindow, qtbot: QtBot, folder: Path
) -> None:
    file = folder / "preprocess.toml"
    file.unlink()
    page = opened(window, qtbot, folder / "digits.onnx")
    shown = question(page, qtbot)
    file.write_text("mine")
    shown.confirm.click()
    qtbot.waitUntil(lambda: not page.strip.running, timeout=JOB_MS)
    assert file.read_text() == "mine"


def test_a_model_with_preprocessing_is_offered_none(page: ProjectPage) -> None:
    assert DRAFT not in entries(page, "preprocess")
