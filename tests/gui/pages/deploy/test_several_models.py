"""Several models on one target: endpoints by model, *Serve both* and *Replace*."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from studio.gui.pages.deploy.page import DeployPage
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig, opened
from tests.gui.pages.deploy.test_page import PLAN, released, result_of, tile


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def test_both_ways_out_of_another_model_are_buttons(rig: Rig) -> None:
    released(rig, 3, name="doors")
    page = rig.page(DeployPage, rig.variant())
    assert tile(page, "local")[1] == "doors · local", "every endpoint is named by its model"
    check = page.check
    assert check.hint.text().startswith("doors is served on this computer.")
    assert (check.both.text(), check.replace.text()) == ("Serve both", "Replace doors…")
    check.replace.click()
    assert page.sheet.isVisible()
    assert rig.shell.jobs[-1].options["replace"] is True
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(PLAN)))
    page.sheet.review_step.both.click()
    options = rig.shell.jobs[-1].options
    assert (options["endpoint"], options["dry_run"]) == ("digits", True)
    assert "replace" not in options
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(PLAN)))
    assert page.sheet.primary.text() == "Deploy to this computer/digits"
    assert not page.sheet.review_step.both.isVisible()


def test_serve_both_is_one_click_on_the_check(rig: Rig) -> None:
    released(rig, 3, name="doors")
    page = rig.page(DeployPage, rig.variant())
    page.check.both.click()
    assert rig.shell.jobs[-1].options["endpoint"] == "digits"
    assert not page.check.both.isVisible()
    assert page.primary is not None
    assert page.primary.text() == "Deploy to this computer/digits"
    rig.registry.endpoints.add("local/digits")
    page.refresh()
    page.gallery.choose("local/digits")
    assert page.sheet.endpoint == "", "an endpoint has no endpoints"


def test_the_choice_stays_above_a_long_plan(rig: Rig) -> None:
    released(rig, 3, name="doors")
    page = rig.page(DeployPage, rig.variant("with-a-long-name"))
    page.plan()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result_of(PLAN)))
    QCoreApplication.processEvents()
    check = page.check
    assert check.steps.isVisible()
    assert check.both.geometry().bottom() < check.steps.geometry().top()
    assert check.heading.width() >= check.heading.sizeHint().width(), "nothing is cut"


def test_the_button_names_what_serves_or_what_is_replaced(rig: Rig) -> None:
    first = rig.variant()
    released(rig, 1, variant_name="int8")
    page = rig.page(DeployPage, first)
    assert page.primary is not None
    assert page.primary.text() == "Replace v1 int8 on this computer"
    page.show_variant(rig.variant("int8", first))
    assert page.primary.text() == "Monitor this computer"


def test_the_endpoint_of_the_current_model_is_selected(rig: Rig) -> None:
    released(rig, 3, name="doors")
    rig.registry.endpoints.add("local/digits")
    details = {"version": 1, "name": "digits", "variant_name": "int8"}
    rig.registry.add_release("local/digits", None, "cd" * 32, "serving", details)
    page = rig.page(DeployPage, rig.variant())
    assert page.gallery.selected == "local/digits"
    assert tile(page, "local/digits")[:2] == ("This computer/digits", "digits · local")
