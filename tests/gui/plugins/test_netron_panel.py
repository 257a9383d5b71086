"""The panel of other formats, where Qt WebEngine is not installed: the browser is offered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.workspace import Workspace
from studio_netron import engine
from studio_netron import panel as netron_panel
from studio_netron.panel import NetronPanel
from tests.gui.page_rig import Rig
from tests.gui.panel_rig import PanelPlace

REASON = "Qt WebEngine is not installed (the extra edgewright[webengine])."


@pytest.fixture
def rig(tmp_path: Path, qtbot: QtBot) -> Iterator[Rig]:
    with Workspace.open(tmp_path / "home") as workspace:
        made = Rig(workspace, tmp_path)
        yield made
        made.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the desktop is asked to open."""
    found: list[str] = []

    def note(url: QUrl) -> bool:
        found.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", note)
    return found


@pytest.fixture
def panel(rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[NetronPanel]:
    monkeypatch.setattr(engine, "why_not", lambda: REASON)
    place = PanelPlace(rig, NetronPanel, "studio_netron", "studio_netron.welcome", model=False)
    qtbot.addWidget(place.holder)
    panel = place.panel
    qtbot.waitUntil(lambda: bool(panel.here.toolTip()))
    yield panel
    panel.end()


def choose(panel: NetronPanel, path: Path) -> Path:
    path.write_bytes(b"content of " + path.name.encode())
    panel.form.set_values({"file": str(path)})
    return path


def test_it_says_where_the_page_opens(panel: NetronPanel) -> None:
    assert panel.here.toolTip() == REASON
    assert not panel.here.isEnabled()
    assert f"{REASON} The page opens in your browser" in panel.sentence.text()
    assert panel.browser.property("kind") == "primary"


def test_the_browser_gets_one_file_until_another_is_chosen(
    panel: NetronPanel, opened: list[str], tmp_path: Path
) -> None:
    choose(panel, tmp_path / "a.h5")
    panel.browser.click()
    first = panel.server
    assert first is not None
    assert opened == [first.url]
    with urlopen(first.url + "model/a.h5", timeout=10) as answer:
        assert answer.read() == b"content of a.h5"
    choose(panel, tmp_path / "b.pt")
    panel.browser.click()
    assert panel.server is not None
    assert opened == [first.url, panel.server.url]
    assert not first.running


def test_nothing_is_opened_without_a_file(
    panel: NetronPanel, opened: list[str], rig: Rig, tmp_path: Path
) -> None:
    panel.browser.click()
    empty = choose(panel, tmp_path / "a.h5")
    empty.write_bytes(b"")
    panel.browser.click()
    assert opened == []
    assert panel.server is None
    assert [str(error) for error in rig.shell.failed] == ["a.h5 is empty."]


def test_the_open_model_is_filled_in_and_shown_at_once(
    rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shown: list[Path] = []

    def view(path: Path) -> QWidget:
        shown.append(path)
        return QWidget()

    monkeypatch.setattr(engine, "why_not", lambda: "")
    monkeypatch.setattr(netron_panel, "web_view", view)
    place = PanelPlace(rig, NetronPanel, "studio_netron", "studio_netron.viewer")
    qtbot.addWidget(place.holder)
    panel = place.panel
    current = Path(place.host.model_file())
    assert current.is_file()
    qtbot.waitUntil(lambda: shown == [current])
    assert panel.form.values()["file"] == str(current)
    panel.refresh()
    assert shown == [current]
    other = choose(panel, tmp_path / "a.h5")
    panel.refresh()
    assert panel.form.values()["file"] == str(other)
    assert shown == [current]


def test_the_open_model_waits_for_a_click_where_only_the_browser_can_show_it(
    rig: Rig, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    monkeypatch.setattr(engine, "why_not", lambda: REASON)
    place = PanelPlace(rig, NetronPanel, "studio_netron", "studio_netron.viewer")
    qtbot.addWidget(place.holder)
    qtbot.waitUntil(lambda: bool(place.panel.here.toolTip()))
    assert place.panel.form.values()["file"] == place.host.model_file()
    assert opened == []
    place.panel.browser.click()
    assert len(opened) == 1
    place.panel.end()
