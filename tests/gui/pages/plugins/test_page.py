"""The Plugins page: states with reasons, and the line that installs what lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.gui.pages.plugins.page import COLUMNS, PluginsPage
from studio.gui.pages.shared.question import Question
from studio.jobs import End, JobOutcome
from studio.settings import SAFE_VARIABLE
from studio.settings.installation import install_command
from tests.gui.page_rig import Rig, opened, texts, visible_texts
from tests.rigs import third_party

LACKING = """
id = "studio_example"
name = "Example"
version = "2.1"
api = 1
requires = ["no-such-library>=3"]
permissions = ["network"]
[[backends]]
id = "example"
title = "Example runtime"
factory = "studio_example.backend:Backend"
"""

STATE, ID = (COLUMNS.index(name) for name in ("State", "Id"))


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    for name, text in (("studio_example", LACKING), ("studio_broken", "id = ")):
        folder = studio_home / "config" / "plugins" / name
        folder.mkdir(parents=True)
        (folder / "plugin.toml").write_text(text)
    with opened(studio_home, tmp_path) as made:
        yield made


def test_every_plugin_has_a_state_in_a_word(rig: Rig) -> None:
    page = rig.page(PluginsPage)
    rows = {row[ID]: row for row in texts(page.table)}
    assert rows["studio_onnxruntime"][STATE] == "available"
    assert rows["studio_example"][STATE:] == [
        "unavailable",
        "1 backend",
        "network",
        "studio_example",
        "2.1",
    ]
    assert rows["studio_broken"][STATE] == "broken"


def test_missing_library_is_named_with_its_install_line(rig: Rig) -> None:
    page = rig.page(PluginsPage)
    ids = [row[ID] for row in texts(page.table)]
    page.table.selectRow(ids.index("studio_example"))
    assert "no-such-library>=3 is not installed" in visible_texts(page)
    page.copy.click()
    assert QGuiApplication.clipboard().text() == install_command(["no-such-library>=3"])
    page.table.selectRow(ids.index("studio_onnxruntime"))
    assert not page.copy.isVisible()


def test_consent_is_given_and_taken_back_on_the_page(rig: Rig) -> None:
    third_party.place(rig.workspace.paths.config.parent)
    page = rig.page(PluginsPage)
    select(page, third_party.ID)
    assert state(page, third_party.ID) == "needs consent"
    said = visible_texts(page)
    assert "it requests: the network and start processes" in said
    assert rig.workspace.plugins.plugin(third_party.ID).digest in said
    page.allow.click()
    assert state(page, third_party.ID) == "available"
    assert not page.allow.isVisible()
    assert not page.question.isVisible()
    page.forbid.click()
    assert state(page, third_party.ID) == "off"
    assert "You switched it off." in visible_texts(page)
    assert page.allow.text() == "Enable"
    page.allow.click()
    assert state(page, third_party.ID) == "available"


def test_files_that_changed_while_one_looked_are_not_agreed_to(rig: Rig) -> None:
    folder = third_party.place(rig.workspace.paths.config.parent)
    page = rig.page(PluginsPage)
    select(page, third_party.ID)
    (folder / "backend.py").write_text("import os\n")
    page.allow.click()
    assert "have changed since you reviewed" in str(rig.shell.failed[0])
    assert state(page, third_party.ID) == "needs consent"


def test_built_in_plugins_ask_for_nothing(rig: Rig) -> None:
    page = rig.page(PluginsPage)
    select(page, "studio_onnxruntime")
    assert "built in" in visible_texts(page)
    assert not page.allow.isVisible()
    assert not page.forbid.isVisible()


def test_an_environment_is_installed_by_a_click(rig: Rig) -> None:
    page = rig.page(PluginsPage)
    card = page.environment
    select(page, "studio_onnx")
    assert not card.isVisible()
    select(page, "studio_nncf")
    assert card.isVisible()
    said = visible_texts(card)
    for part in ("missing", "It is not installed.", "about 380 MB", "NNCF, ONNX"):
        assert part in said
    assert not card.remove.isVisible()
    card.install.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options) == ("environment-install", {"name": "studio_nncf"})
    assert card.strip.isVisible()
    assert not card.install.isVisible()
    rig.progress(page, 0.4, 1.0, "Fetching scipy")
    assert "Fetching scipy" in card.strip.text.text()
    card.strip.cancel.click()
    assert job.cancelled
    rig.finish(page, JobOutcome(End.CANCELLED, exit_code=130))
    assert not card.strip.isVisible()
    assert card.install.isVisible()


def test_a_licence_that_has_to_be_accepted_is_asked_for(rig: Rig) -> None:
    page = rig.page(PluginsPage)
    select(page, "studio_qnn")
    page.environment.install.click()
    (question,) = page.environment.findChildren(Question)
    assert "Qualcomm's own licence" in question.informativeText()
    assert not rig.shell.jobs
    question.confirm.click()
    (job,) = rig.shell.jobs
    assert job.options == {"name": "studio_qnn", "accept_licence": True}


def test_an_environment_that_is_there_says_what_it_holds(rig: Rig) -> None:
    folder = rig.workspace.paths.environments / "studio_nncf"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    record = {
        "requirements": "other",
        "python": "3.11.7",
        "bytes": 5_000_000,
        "versions": {"nncf": "9"},
    }
    (folder / "environment.json").write_text(json.dumps(record))
    page = rig.page(PluginsPage)
    select(page, "studio_nncf")
    said = visible_texts(page.environment)
    for part in ("outdated", "other requirements than it was made from", "nncf 9", "5.0 MB"):
        assert part in said
    assert page.environment.install.text() == "Install again"
    page.environment.remove.click()
    assert rig.shell.jobs[-1].step == "environment-remove"


def test_safe_mode_is_said_and_cannot_be_left_by_consent(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    third_party.place(rig.workspace.paths.config.parent)
    monkeypatch.setenv(SAFE_VARIABLE, "1")
    page = rig.page(PluginsPage)
    select(page, third_party.ID)
    assert "safe mode: built-in plugins only" in visible_texts(page)
    assert state(page, third_party.ID) == "off"
    assert not page.allow.isVisible()


def select(page: PluginsPage, identifier: str) -> None:
    page.table.selectRow([row[ID] for row in texts(page.table)].index(identifier))


def state(page: PluginsPage, identifier: str) -> str:
    return {row[ID]: row[STATE] for row in texts(page.table)}[identifier]
