"""Today's window with the profile of a user of 0.1: settings, window state, models, no project.

``settings.json`` was written by the window of 0.1, which had the digits open in the light theme.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.window.main_window import MainWindow
from studio.gui.window.stages import BY_ID
from tests.gui.conftest import MakeWindow
from tests.rigs.made_before import MADE, unpack_home

pytestmark = pytest.mark.slow

STORED = MADE / "settings.json"


@pytest.fixture
def earlier(make_window: MakeWindow, tmp_path: Path) -> MainWindow:
    unpack_home(tmp_path / "then")
    home = tmp_path / "then" / "edgewright"
    shutil.copy(STORED, home / "config" / "settings.json")
    return make_window(home)


def test_the_window_opens_where_it_was_left(earlier: MainWindow, qtbot: QtBot) -> None:
    variant = earlier.current.variant
    assert variant is not None
    assert variant.id == json.loads(json.loads(STORED.read_text())["window"])["variant"]
    assert earlier.windowTitle() == "digits \u2013 Edgewright"
    assert earlier.workspace.settings["theme"] == "light"
    qtbot.waitUntil(lambda: earlier.project.value is not None)
    assert earlier.project.value.model == "digits"
    assert not earlier.project.value.issues
    for stage in BY_ID:
        earlier.go(stage)
        assert earlier.page() is not None
    assert earlier.toasts.shown == []


def test_what_the_user_has_set_is_kept_when_the_window_closes(earlier: MainWindow) -> None:
    file = earlier.workspace.paths.settings
    assert json.loads(file.read_text())["theme"] == "light"
    earlier.close()
    stored = json.loads(file.read_text())
    assert stored["theme"] == "light"
    assert json.loads(stored["window"])["variant"] == 1
    assert not file.with_suffix(".damaged.json").exists()
