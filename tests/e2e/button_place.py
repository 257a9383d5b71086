"""A small program that prints where a button of the window is, once its place is settled.

Started with the name of the button, a model to open and the stage to go to, or two empty words.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton

from studio.gui.app import attach, make_application, make_window
from studio.gui.window.main_window import MainWindow
from studio.settings import Paths
from studio.workspace import Workspace

_LOOK_MS = 50
_LOOKS = 5


def main(name: str, model: str, stage: str) -> None:
    """Show the window, find the button, and print its place."""
    application = make_application()
    window = make_window(Paths.of())
    window.show()
    with Workspace.open() as workspace:
        attach(window, workspace)
        assert QTest.qWaitForWindowExposed(window, 60_000)
        if model:
            window.open_model(Path(model))
            _wait(lambda: window.project.value is not None)
        if stage:
            window.go(stage)
        _wait(lambda: _button(window, name) is not None)  # what a page finds out comes later
        print(json.dumps(_place(window, workspace, name)), flush=True)
    # Not closed, else the profile would keep its geometry for the next look.
    window.hide()
    application.processEvents()


def _button(window: MainWindow, name: str) -> QAbstractButton | None:
    buttons = window.findChildren(QAbstractButton)
    seen = (one for one in buttons if one.isVisible() and one.isEnabled())
    # A stage of the rail is named with its state, as in "Monitor: healthy".
    names = ((one.accessibleName(), one) for one in seen)
    return next((one for at, one in names if name in (at, at.partition(":")[0])), None)


def _place(window: MainWindow, workspace: Workspace, name: str) -> tuple[int, int]:
    """The middle of the button, when it has stayed there for some looks."""
    found = _button(window, name)
    assert found is not None
    places: list[tuple[int, int]] = []
    ready: list[object] = []
    workspace.in_background(lambda: None, ready.append)  # behind the look for plugins
    while not ready or len(places) < _LOOKS or len(set(places[-_LOOKS:])) > 1:
        QTest.qWait(_LOOK_MS)
        middle = found.mapToGlobal(found.rect().center())
        places.append((middle.x(), middle.y()))
    return places[-1]


def _wait(condition: Callable[[], bool]) -> None:
    while not condition():
        QTest.qWait(_LOOK_MS)


if __name__ == "__main__":
    main(*sys.argv[1:])
