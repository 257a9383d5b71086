"""What the window does while a model is opened, and when it is there."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from studio.gui.window.main_window import MainWindow
from studio.projects.results import Project
from tests.gui.conftest import DIGITS, visible

JOB_MS = 20_000


@pytest.mark.slow
def test_who_has_gone_elsewhere_while_a_model_is_opened_stays_there(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.open_model(DIGITS)
    window.go("targets")
    qtbot.waitUntil(lambda: bool(window.toasts.shown), timeout=JOB_MS)
    assert window.page().stage == "targets"
    assert window.toasts.texts == "digits.onnx is open."
    assert window.current.variant is not None
    window.toasts.shown[0].act.click()
    assert window.page().stage == "project"


def test_a_project_that_is_read_after_closing_reaches_no_page(digits_window: MainWindow) -> None:
    before, changes = digits_window.project.value, []
    digits_window.project.changed.connect(lambda: changes.append(1))
    digits_window.close()
    digits_window.project._take(digits_window.project._model, Project(model="another"))
    assert digits_window.project.value == before
    assert changes == []


@pytest.mark.slow
def test_a_sample_that_is_an_app_opens_on_its_page(window: MainWindow, qtbot: QtBot) -> None:
    click(window, "Open the sample Machine vibration (app)")
    qtbot.waitUntil(lambda: window.page().stage == "app", timeout=JOB_MS)
    page = window.page()
    qtbot.waitUntil(lambda: not page.checking.running and page.folder is not None, timeout=JOB_MS)
    assert page.folder.name == "vibration"
    assert not window.toasts.shown


@pytest.mark.slow
def test_deploy_of_an_app_leads_to_the_deploy_page_with_both(
    window: MainWindow, qtbot: QtBot
) -> None:
    click(window, "Open the sample Machine vibration (app)")
    qtbot.waitUntil(lambda: window.page().stage == "app", timeout=JOB_MS)
    app = window.page()
    qtbot.waitUntil(lambda: app.view.check is not None, timeout=JOB_MS)
    assert app.deploy_button.isEnabled()
    app.deploy_button.click()
    qtbot.waitUntil(lambda: window.page().stage == "deploy", timeout=JOB_MS)
    page = window.page()
    qtbot.waitUntil(lambda: page.variant is not None, timeout=JOB_MS)
    assert page.form.values()["app"] == str(app.folder)
    qtbot.waitUntil(
        lambda: page.sheet.configure_step.subject.full_text().startswith("App vibration with"),
        timeout=JOB_MS,
    )
    window.open_model(DIGITS)
    qtbot.waitUntil(lambda: page.variant.model_name == "digits", timeout=JOB_MS)
    assert "app" not in page.form.values(), "another model is deployed without the app"


@pytest.mark.slow
def test_who_has_gone_elsewhere_while_an_app_is_made_stays_there(
    window: MainWindow, qtbot: QtBot
) -> None:
    click(window, "Open the sample Machine vibration (app)")
    window.go("targets")
    qtbot.waitUntil(lambda: bool(window.toasts.shown), timeout=JOB_MS)
    assert window.page().stage == "targets"
    assert "open it on the App page" in window.toasts.texts


def click(window: MainWindow, name: str) -> None:
    """Press the button of a name."""
    found = [one for one in visible(window, QAbstractButton) if one.accessibleName() == name]
    assert len(found) == 1
    found[0].click()
