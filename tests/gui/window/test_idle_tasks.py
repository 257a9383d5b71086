"""Pages that are made ahead: in pieces, each short, and dressed before they are seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.gui.theme import parts_of
from studio.gui.window.idle_tasks import IdleTasks
from studio.gui.window.main_window import MainWindow
from studio.gui.window.stages import AHEAD

MOST_MODULES = 14
"""A module of the window takes about two milliseconds to be imported."""

IMPORTS = """
import json, sys
import studio.gui.window.main_window, studio.gui.panels.panels, studio.gui.pages.welcome.page
from studio.gui.window.stages import STAGES
from importlib import import_module

found = {}
for stage in STAGES:
    for part in (*stage.modules, stage.page.partition(":")[0]):
        before = len([name for name in sys.modules if name.startswith("studio.")])
        import_module(part)
        after = len([name for name in sys.modules if name.startswith("studio.")])
        found[part] = max(after - before, found.get(part, 0))
print(json.dumps(found))
"""


def test_no_piece_imports_many_modules_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert {part: count for part, count in found.items() if count > MOST_MODULES} == {}
    assert sum(found.values()) > MOST_MODULES  # it counted something


IDLE = """
import json, sys, time
from pathlib import Path
from studio.gui.app import attach, make_application, make_window
from studio.gui.window.stages import AHEAD
from studio.settings import Paths
from studio.workspace import Workspace

home = Path(sys.argv[1])
application, window = make_application(), make_window(Paths.of(home=home))
window.show()
workspace = Workspace.open(home)
attach(window, workspace)
end = time.monotonic() + 60
wanted = {stage.id for stage in AHEAD}
while time.monotonic() < end and wanted - {page.stage for page in window.pages()}:
    application.processEvents()
workspace.presets.options("static-int8")
print(json.dumps([*sys.modules]))
window.close()
workspace.close()
"""
MOST_IN_WINDOW = 630
"""Modules of the studio in a window that waits: a feature that all windows import is seen here."""

UNUSED = (
    "PIL", "google.protobuf", "http.client", "numpy", "onnx", "ssl", "studio.runtime.apps",
)  # fmt: skip


def test_a_window_that_waits_imports_no_feature_that_a_session_may_never_need(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IDLE, str(tmp_path)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        stdout=subprocess.PIPE, text=True, check=True, timeout=120,
    )  # fmt: skip
    modules = json.loads(done.stdout.splitlines()[-1])
    assert "studio.gui.pages.monitor.page" in modules  # the pages were made
    assert sorted(set(UNUSED) & set(modules)) == []
    features = [name for name in modules if name.startswith("studio.features.")]
    assert not [name for name in features if name.endswith((".record", ".page"))]
    assert len([name for name in modules if name.startswith("studio")]) <= MOST_IN_WINDOW


def test_pieces_come_one_in_a_turn_until_they_are_stopped(qtbot: QtBot) -> None:
    window_turns: list[int] = []

    def pieces() -> object:
        for number in range(100):
            window_turns.append(number)
            yield

    from PySide6.QtCore import QObject

    parent = QObject()
    ahead = IdleTasks(parent, pieces())  # type: ignore[arg-type]
    ahead.start()
    assert window_turns == []
    qtbot.waitUntil(lambda: len(window_turns) >= 2)
    ahead.stop()
    done = len(window_turns)
    ahead.start()
    qtbot.wait(50)
    assert len(window_turns) == done < 100


def worn(widget: QWidget) -> bool:
    """Whether all parts of a widget have a theme."""
    return all(part.styleSheet() for part in parts_of(widget))


def test_pages_of_every_session_are_made_and_dressed_without_being_asked_for(
    window: MainWindow, qtbot: QtBot
) -> None:
    def all_made() -> bool:
        pages = {page.stage: page for page in window.pages()}
        wanted = {stage.id for stage in AHEAD}
        return wanted <= pages.keys() and all(
            worn(part) for name in wanted for part in pages[name].parts()
        )

    qtbot.waitUntil(all_made, timeout=30_000)


def test_a_page_is_dressed_when_it_is_shown_before_its_turn(window: MainWindow) -> None:
    window._ahead.stop()
    window.go("quantize")
    page = window.page()
    assert page is not None
    assert page.header.styleSheet()
    assert worn(page.stack.currentWidget())
    page.show_view(2)
    assert page.stack.currentWidget() is page.parts()[3]
    assert worn(page.stack.currentWidget())
