"""Panels of plugins in the window: made on first show, served, and never the end of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.gui.panels.frame import PanelFrame
from studio.gui.window.main_window import MainWindow
from studio.plugin_host.plugin_import import forget
from studio.workspace import Workspace
from tests.gui.conftest import MakeWindow
from tests.gui.page_rig import visible_texts
from tests.rigs import third_party

ID = "example_panel"
MANIFEST = f"""
id = "{ID}"
name = "Panels"
version = "1"
api = 1
[[targets]]
id = "rocket"
title = "Rocket"
schemes = ["rocket"]
factory = "{ID}.target:Rocket"
[[panels]]
id = "rockets"
title = "Rockets"
area = "deploy"
factory = "{ID}.panel:RocketsPanel"
"""
TARGET = """
from studio.api import TargetError
class Rocket:
    id, title, schemes, options = "rocket", "Rocket", ("rocket",), ()
    def connect(self, target, progress):
        raise TargetError("It is in space.")
    def default_root(self, target):
        return "/"
"""
PANEL = """
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout
from studio.api import Kind, Option, TargetSpec
from studio.api.qt import Panel

class RocketsPanel(Panel):
    def __init__(self, host):
        super().__init__(host)
        self.ends, self.refreshed, self.redressed = [], 0, 0
        self.text = QLabel("")
        self.form = host.form([Option("target", Kind.TARGET), Option("name", required=True)])
        self.probe = QPushButton("Probe")
        self.probe.clicked.connect(self.ask)
        self.bad = QPushButton("Break")
        self.bad.clicked.connect(lambda: {}["no such"])
        layout = QVBoxLayout(self)
        for part in (self.text, self.form.widget, self.probe, self.bad):
            layout.addWidget(part)
        self.step = None

    def ask(self):
        self.step = self.host.start("target-probe", target=self.host.targets()[0].name)
        self.step.finished.connect(self.ends.append)

    def refresh(self):
        self.refreshed += 1
        self.text.setText(", ".join(target.name for target in self.host.targets()) or "none")

    def redress(self):
        self.redressed += 1
        self.host.color("accent")
"""


@pytest.fixture
def make_panel(
    make_window: MakeWindow, qtbot: QtBot, tmp_path: Path
) -> Iterator[Callable[..., tuple[MainWindow, PanelFrame]]]:
    """The window on the Deploy page with a plugin's panel of this code, its user having agreed."""

    def make(code: str = PANEL, *, show: bool = True) -> tuple[MainWindow, PanelFrame]:
        home = tmp_path / "home"
        folder = home / "config" / "plugins" / ID
        folder.mkdir(parents=True)
        for name, text in (
            ("plugin.toml", MANIFEST),
            ("__init__.py", ""),
            ("target.py", TARGET),
            ("panel.py", code),
        ):
            (folder / name).write_text(text)
        with Workspace.open(home) as workspace:
            workspace.allow_plugin(ID, workspace.plugins.plugin(ID).digest)
        window = make_window()
        window.go("deploy")
        qtbot.waitUntil(lambda: window.page().findChild(PanelFrame) is not None)
        frames = window.page().findChildren(PanelFrame)  # the built-in plugins have theirs
        frame = next(one for one in frames if one.capability.id == "rockets")
        assert frame.panel is None, "it is made when it is shown"
        if show:
            window.page().show_view(window.page().stack.indexOf(frame))
        return window, frame

    yield make
    forget(ID)


MakePanel = Callable[..., tuple[MainWindow, PanelFrame]]


def test_a_panel_is_a_view_of_its_page_without_the_pages_tools(
    make_panel: MakePanel, qtbot: QtBot
) -> None:
    window, frame = make_panel()
    qtbot.waitUntil(lambda: frame.panel is not None and frame.panel.isVisible())
    assert not window.page().primary.isVisible()
    window.page().show_view(0)
    assert window.page().primary.isVisible()


def test_it_is_told_of_targets_and_of_themes(make_panel: MakePanel, qtbot: QtBot) -> None:
    window, frame = make_panel()
    assert frame.panel.text.text() == "none"
    assert frame.panel.host.add_target(TargetSpec("apollo", "rocket:1"))
    assert frame.panel.host.add_target(TargetSpec("other", "ssh://a@b"))
    qtbot.waitUntil(lambda: frame.panel.text.text() == "apollo")
    with qtbot.waitSignal(window.theming.changed):
        window.toggle_theme()
    assert frame.panel.redressed == 1


@pytest.mark.slow
def test_a_step_ends_with_its_result(make_panel: MakePanel, qtbot: QtBot) -> None:
    _, frame = make_panel()
    panel = frame.panel
    panel.host.add_target(TargetSpec("apollo", "rocket:1"))
    panel.probe.click()
    qtbot.waitUntil(lambda: len(panel.ends) == 1, timeout=30_000)
    end = panel.ends[0]
    assert (end.ok, end.sentence, end.error) == (False, "It is in space.", "TargetError")
    panel.host.add_target(TargetSpec("apollo", "local:", settings={"root": "/srv/apollo"}))
    step = panel.host.start("target-probe", target="apollo")
    with qtbot.waitSignal(step.finished, timeout=30_000) as heard:
        pass
    assert heard.args[0].ok
    assert heard.args[0].result["name"] == "apollo"
    assert panel.host.facts("apollo")["url"] == "local:"


def test_a_step_that_does_not_fit_is_a_sentence(make_panel: MakePanel) -> None:
    window, frame = make_panel()
    assert frame.panel.host.start("target-probe", target="nobody") is None
    assert "nobody" in window.toasts.texts


def test_a_form_offers_the_plugins_targets(make_panel: MakePanel) -> None:
    _, frame = make_panel()
    host = frame.panel.host
    host.add_target(TargetSpec("apollo", "rocket:1"))
    form = host.form([])
    assert form.check()
    assert not frame.panel.form.check()
    frame.panel.form.set_values({"name": "x"})
    assert frame.panel.form.check()
    assert frame.panel.form.values()["name"] == "x"


@pytest.mark.slow
def test_what_fails_in_a_slot_is_one_sentence_and_the_third_time_the_end(
    make_panel: MakePanel, qtbot: QtBot
) -> None:
    window, frame = make_panel()
    frame.panel.bad.click()
    assert f"The plugin {ID} failed: 'no such'." in window.toasts.texts
    assert frame.panel is not None, "it may go on"
    frame.panel.bad.click()
    frame.panel.bad.click()
    qtbot.waitUntil(lambda: frame.panel is None)
    assert "it crashed 3 times" in visible_texts(frame)
    workspace = window.workspace
    workspace.allow_plugin(ID, workspace.plugins.plugin(ID).digest)
    qtbot.waitUntil(lambda: frame.panel is not None)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0", "division by zero"),
        (PANEL.replace("        self.step = None", "        raise ValueError('no')"), "no"),
        (PANEL.replace("self.refreshed += 1", "raise OSError('gone')"), "failed: gone."),
        ("def RocketsPanel(host): return 5", "makes no studio.api.qt.Panel"),
    ],
)
def test_what_cannot_be_made_says_why_in_its_place(
    make_panel: MakePanel, code: str, words: str
) -> None:
    window, frame = make_panel(code)
    assert frame.panel is None
    assert words in visible_texts(frame)
    assert "Rockets cannot be shown" in visible_texts(frame)
    frame.findChild(QPushButton).click()
    frame.findChildren(QPushButton)[-1].click()
    assert window.workspace.plugins.plugin(ID).state.value == "off"


def test_other_errors_go_where_they_went_before(
    make_panel: MakePanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: seen.append(kind))
    window, _ = make_panel()
    button = QPushButton()
    qtbot.addWidget(button)
    button.clicked.connect(lambda: [][1])
    button.click()
    assert seen == [IndexError]
    assert window.toasts.shown == []


@pytest.mark.slow
def test_the_examples_panel_adds_a_folder_and_shows_what_is_in_it(
    make_window: MakeWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    third_party.place(home)
    with Workspace.open(home) as workspace:
        third_party.agree(workspace)
    window = make_window()
    window.go("deploy")
    page = window.page()
    qtbot.waitUntil(lambda: any(a.text() == "Show Folders" for a in page.actions()))
    next(action for action in page.actions() if action.text() == "Show Folders").trigger()
    frame = page.stack.currentWidget()
    panel = frame.panel
    assert not panel.look.isEnabled()
    (tmp_path / "attic").mkdir()
    panel.form.set_values({"name": "attic", "folder": str(tmp_path / "attic")})
    panel.add_button.click()
    qtbot.waitUntil(panel.look.isEnabled)
    panel.look.click()
    qtbot.waitUntil(lambda: panel.text.text() == "It is empty.", timeout=30_000)
    forget(third_party.ID)
