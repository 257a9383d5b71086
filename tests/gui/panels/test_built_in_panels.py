"""Panels of built-in plugins: what they import does not hold up the window."""

from __future__ import annotations

import importlib
import sys
import threading
from types import ModuleType

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.panels.frame import PanelFrame
from tests.gui.conftest import MakeWindow
from tests.gui.page_rig import visible_texts

PLUGIN = "studio_docker"
MODULE = f"{PLUGIN}.panel"
_WAIT_S = 30.0


def test_a_built_in_panel_is_imported_on_another_thread_and_made_then(
    make_window: MakeWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    importers: list[threading.Thread] = []
    may_import = threading.Event()
    import_module = importlib.import_module

    def note(name: str, package: str | None = None) -> ModuleType:
        if name == MODULE:
            importers.append(threading.current_thread())
            may_import.wait(_WAIT_S)
        return import_module(name, package)

    window = make_window()
    window.go("deploy")
    page = window.page()
    qtbot.waitUntil(lambda: page.findChild(PanelFrame) is not None)
    frames = page.findChildren(PanelFrame)
    frame = next(one for one in frames if one.capability.factory.startswith(MODULE))
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    monkeypatch.setattr(importlib, "import_module", note)
    page.show_view(page.stack.indexOf(frame))
    loading = f"Loading {frame.capability.title}…"
    qtbot.waitUntil(lambda: loading in visible_texts(frame))
    assert frame.panel is None
    may_import.set()
    qtbot.waitUntil(lambda: frame.panel is not None)
    assert importers[0] is not threading.main_thread()
    assert loading not in visible_texts(frame)
