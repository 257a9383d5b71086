"""The panel of containers in the window itself, with the window's own forms."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from studio.gui.panels.frame import PanelFrame
from tests.gui.conftest import MakeWindow


def test_it_is_shown_on_the_deploy_page(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    window.go("deploy")
    qtbot.waitUntil(lambda: bool(window.page().findChildren(PanelFrame)))
    frames = window.page().findChildren(PanelFrame)
    frame = next(one for one in frames if one.capability.id == "docker.image")
    window.page().show_view(window.page().stack.indexOf(frame))
    qtbot.waitUntil(lambda: frame.panel is not None and frame.panel.isVisible())
    panel = frame.panel
    assert type(panel).__name__ == "ImagePanel"
    assert not panel.image.build.isEnabled(), "no model is open"
