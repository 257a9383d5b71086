"""What the outputs mean by a click: recognised, confirmed, changed in a form, and written."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.project.outputs_dialog import OutputsDialog
from studio.gui.pages.project.page import ProjectPage
from studio.gui.window.main_window import MainWindow
from tests.gui.page_rig import visible_texts
from tests.gui.pages.project.conftest import JOB_MS
from tests.gui.pages.project.test_page import entries, settled

RECOGNISED = "Classes. Recognised, not confirmed."


@pytest.fixture
def file(folder: Path) -> Path:
    return folder / "outputs.toml"


def recognised(page: ProjectPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: RECOGNISED in visible_texts(page), timeout=JOB_MS)


def written(window: MainWindow, qtbot: QtBot, file: Path) -> None:
    def is_read() -> bool:
        project = window.project.value
        return project is not None and project.outputs == str(file)

    qtbot.waitUntil(is_read, timeout=JOB_MS)


def dialog(page: ProjectPage, qtbot: QtBot) -> OutputsDialog:
    page.outputs.dialog = None
    entries(page, "outputs")["Change…"].trigger()
    qtbot.waitUntil(lambda: page.outputs.dialog is not None, timeout=JOB_MS)
    assert page.outputs.dialog is not None
    return page.outputs.dialog


def test_what_is_recognised_is_confirmed_by_a_click(
    window: MainWindow, page: ProjectPage, qtbot: QtBot, file: Path
) -> None:
    recognised(page, qtbot)
    entries(page, "outputs")["Confirm…"].trigger()
    question = page.outputs.question
    assert question is not None
    assert question.informativeText().startswith(str(file))
    assert not file.exists(), "not before it is confirmed"
    question.confirm.click()
    written(window, qtbot, file)
    assert tomllib.loads(file.read_text())["task"] == "classification"
    settled(page, qtbot)
    assert "Confirm…" not in entries(page, "outputs")


def test_the_form_changes_the_file(
    window: MainWindow, page: ProjectPage, qtbot: QtBot, file: Path
) -> None:
    file.write_text('task = "classification"\nactivation = "none"\n')
    window.project.read()
    written(window, qtbot, file)
    form = dialog(page, qtbot).form
    assert form.fields["activation"].editor.value() == "none"
    assert not form.fields["unit"].isVisibleTo(form)
    form.fields["task"].editor.set_value("regression")
    assert form.fields["unit"].isVisibleTo(form)
    assert not form.fields["activation"].isVisibleTo(form)
    form.fields["unit"].editor.set_value("mm")
    assert page.outputs.dialog is not None
    page.outputs.dialog.confirm.click()
    qtbot.waitUntil(lambda: 'unit = "mm"' in file.read_text(), timeout=JOB_MS)
    assert tomllib.loads(file.read_text()) == {"task": "regression", "unit": "mm"}


def test_heads_are_those_of_the_task(page: ProjectPage, qtbot: QtBot) -> None:
    recognised(page, qtbot)
    form = dialog(page, qtbot).form
    form.fields["task"].editor.set_value("keypoints")
    head = form.fields["head"].editor
    head.set_value("movenet")
    assert head.value() == "movenet"
    form.fields["task"].editor.set_value("instances")
    head.set_value("movenet")
    assert head.value() is None


def test_what_does_not_fit_the_model_is_not_written(
    page: ProjectPage, qtbot: QtBot, file: Path
) -> None:
    recognised(page, qtbot)
    opened = dialog(page, qtbot)
    opened.form.fields["task"].editor.set_value("keypoints")
    opened.form.fields["head"].editor.set_value("movenet")
    opened.confirm.click()
    qtbot.waitUntil(lambda: page.strip.running, timeout=JOB_MS)
    job = page.strip.job
    assert job is not None
    settled(page, qtbot)
    assert job.outcome is not None
    assert "does not fit the model" in job.outcome.message
    assert not file.exists()


def test_a_broken_file_opens_an_empty_form(
    window: MainWindow, page: ProjectPage, qtbot: QtBot, file: Path
) -> None:
    file.write_text("task = ")
    window.project.read()
    written(window, qtbot, file)
    opened = dialog(page, qtbot)
    assert opened.form.fields["task"].editor.value() is None
    assert not opened.confirm.isEnabled()
