"""The Settings page: stored at once, found by a search, with versions and licences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio import __version__
from studio.gui.pages.settings.page import ABOUT, SettingsPage
from studio.gui.window.main_window import MainWindow
from studio.settings import SETTINGS, Settings

WINDOW_OWN = {"window"}
"""What the window remembers by itself."""


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> SettingsPage:
    window.go("settings")
    shown = window.page()
    assert isinstance(shown, SettingsPage)
    qtbot.waitUntil(lambda: QApplication.focusWidget() is shown.search)
    return shown


def stored(window: MainWindow) -> dict[str, object]:
    return dict(json.loads(window.workspace.paths.settings.read_text()))


def test_every_setting_of_the_user_is_on_the_page(page: SettingsPage) -> None:
    assert set(page.rows) == set(SETTINGS) - WINDOW_OWN


def test_a_theme_applies_at_once_and_is_stored(window: MainWindow, page: SettingsPage) -> None:
    page.rows["theme"].editor.set_value("light")
    assert not window.theming.current.dark
    assert stored(window)["theme"] == "light"


def test_a_text_is_stored_when_typing_pauses(
    window: MainWindow, page: SettingsPage, qtbot: QtBot
) -> None:
    qtbot.keyClicks(page.rows["operator"].editor.focusProxy(), "Ada")
    qtbot.waitUntil(lambda: window.workspace.settings["operator"] == "Ada")
    assert Settings(window.workspace.paths.settings)["operator"] == "Ada"


def test_defaults_are_restored(window: MainWindow, page: SettingsPage) -> None:
    page.rows["closing"].editor.set_value("stop")
    page.rows["worker_memory_mb"].editor.set_value(512)
    page.rows["worker_memory_mb"].store()
    page.restore_defaults()
    for name, row in page.rows.items():
        assert window.workspace.settings[name] == SETTINGS[name].default
        assert row.editor.value() in (SETTINGS[name].default, None)


def test_a_search_shows_what_has_every_word(page: SettingsPage, qtbot: QtBot) -> None:
    qtbot.keyClicks(page.search, "memory worker")
    shown = {name for name, row in page.rows.items() if not row.isHidden()}
    assert "worker_memory_mb" in shown
    assert "theme" not in shown
    assert page._cards["Appearance"].isHidden()
    page.search.setText("about")
    assert not page._cards[ABOUT].isHidden()
    page.search.setText("no such thing")
    assert page._nothing.isVisible()
    page.search.clear()
    assert not any(row.isHidden() for row in page.rows.values())


def test_about_has_versions_and_licences_to_copy(
    window: MainWindow, page: SettingsPage, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: page.versions.rowCount() > 5)
    cells = [
        [page.versions.item(y, x).text() for x in range(3)] for y in range(page.versions.rowCount())
    ]
    assert cells[0] == ["Edgewright", __version__, "Apache-2.0"]
    names = [name.lower().replace("_", "-") for name, _, _ in cells]
    assert names[1:5] == ["python", "pyside6-essentials", "onnxruntime", "onnx"]
    assert all(licence for _, _, licence in cells)
    page.copy.click()
    assert f"Edgewright {__version__}\n" in QGuiApplication.clipboard().text()


def test_plugins_are_one_click_away(window: MainWindow, page: SettingsPage) -> None:
    go = next(one for one in page.findChildren(type(page.copy)) if one.text() == "Go to Plugins")
    go.click()
    assert window.page().stage == "plugins"
    marked = [one.stage.id for one in window.rail.buttons() if one.isChecked()]
    assert marked == ["settings"]


def test_a_full_disk_is_one_sentence(
    window: MainWindow, page: SettingsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studio.settings.store.write_atomically", full)
    page.rows["closing"].editor.set_value("stop")
    assert "The settings cannot be stored: No space left on device." in window.toasts.texts
    assert window.workspace.settings["closing"] == "stop"


def test_about_is_a_command_and_a_link_of_the_help(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F1)
    assert window.side.shown is not None
    about = next(
        one
        for one in window.side.shown.findChildren(type(window.side.shown.close_button))
        if one.text() == "About Edgewright"
    )
    about.click()
    assert window.side.shown is None
    assert window.page().stage == "settings"


def test_settings_of_a_damaged_file_are_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"closing": "explode"}')
    assert Settings(path)["closing"] == "ask"
    assert path.with_suffix(".damaged.json").exists()
