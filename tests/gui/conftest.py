"""The window with a real workspace in a folder of its own, and one that has digits opened."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from studio.gui import icons
from studio.gui.app import attach
from studio.gui.bridge import Bridge
from studio.gui.import_hook import remove_import_hook
from studio.gui.theme import Theming, base_font
from studio.gui.window.main_window import MainWindow
from studio.jobs.runner import JobRunner
from studio.settings import Settings
from studio.workspace import Workspace
from tests.rigs.patience import patience

remove_import_hook()  # as the program does
DIGITS = Path(__file__).parents[2] / "resources" / "samples" / "digits" / "digits.onnx"


@pytest.fixture(autouse=True)
def dressed(request: pytest.FixtureRequest) -> Iterator[None]:
    """The application as the program makes it, for every test that has one.

    What a test has closed is deleted after it, not when an event loop runs again: to dress what is
    left of a window takes seconds.
    """
    if "qtbot" not in request.fixturenames:
        yield
        return
    application = request.getfixturevalue("qapp")
    application.setStyle("Fusion")
    application.setFont(base_font())
    icons.register_search_paths()
    Theming("dark").apply()
    yield
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    _release_modifiers()


def _release_modifiers() -> None:
    """Let go of Shift and Ctrl: Qt remembers them from the last key that QTest clicked,
    and the `selectRow` of the next test would select a range."""
    if QApplication.keyboardModifiers() != Qt.KeyboardModifier.NoModifier:
        any_widget = QWidget()
        QTest.keyRelease(any_widget, Qt.Key.Key_Shift)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for an event of Qt waits as long as the machine needs."""
    for name in ("waitUntil", "waitSignal"):  # each bot makes the other spellings of them
        original = getattr(QtBot, name)

        def wait(self: QtBot, *what: Any, _original: Any = original, **options: Any) -> Any:
            options["timeout"] = int(patience(options.get("timeout", 5_000)))
            return _original(self, *what, **options)

        monkeypatch.setattr(QtBot, name, wait)


@pytest.fixture(scope="session")
def digits_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace's folder in which the digits model was opened by a real worker."""
    home = tmp_path_factory.mktemp("digits") / "home"
    with Workspace.open(home) as workspace:
        outcome = workspace.run("open", model=str(DIGITS))
    assert outcome.ok, outcome.sentence
    yield home
    _unlock(home)


@pytest.fixture(autouse=True)
def no_spare_worker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs start a worker when they need one, but for those of ``tests/gui/window``.

    Each window would start one more, which imports for a second what few of its tests use.
    """
    if request.path.parent.name != "window":
        monkeypatch.setattr(JobRunner, "prepare", lambda self: None)


PATIENCE_S = 20.0
MakeWindow = Callable[..., MainWindow]


@pytest.fixture
def make_window(qtbot: QtBot, tmp_path: Path) -> Iterator[MakeWindow]:
    """``make_window(home=None)``: the window of an empty folder, or of a copy of another one."""
    made: list[tuple[MainWindow, Workspace]] = []

    def make(home: Path | None = None) -> MainWindow:
        folder = tmp_path / "home"
        if home is not None and not folder.exists():
            shutil.copytree(home, folder)
        workspace = Workspace.open(folder)
        window = MainWindow(Theming("dark"), Settings(workspace.paths.settings))
        made.append((window, workspace))
        qtbot.addWidget(window)
        with qtbot.waitSignal(window.painted):
            window.show()
        attach(window, workspace)
        window.activateWindow()  # shortcuts and the focus belong to an active window
        qtbot.waitUntil(lambda: QApplication.activeWindow() is window)
        return window

    yield make
    for window, workspace in made:
        for job in workspace.jobs:  # the window would ask about them
            job.cancel()
        for job in workspace.jobs:
            job.wait(PATIENCE_S)
        window.close()
        _end(workspace)
    _unlock(tmp_path)


@pytest.fixture
def window(make_window: MakeWindow) -> MainWindow:
    """The window of a new user."""
    return make_window()


@pytest.fixture
def digits_window(make_window: MakeWindow, digits_home: Path, qtbot: QtBot) -> MainWindow:
    """The window with the graph of digits on its canvas."""
    window = make_window(digits_home)
    window.select(1)
    window.go("model")
    qtbot.waitUntil(lambda: shown_scene(window))
    return window


def shown_scene(window: MainWindow) -> bool:
    """Whether the Model page has its graph."""
    pane = getattr(window.page(), "pane", None)
    return pane is not None and pane.canvas.scene is not None


def open_graph(window: MainWindow, qtbot: QtBot, path: Path, timeout: int = 30_000) -> None:
    """Open a model, and go from its project to its graph."""
    window.open_model(path)

    def is_open() -> bool:
        return window.current.variant is not None and not window._opening.pending

    qtbot.waitUntil(is_open, timeout=timeout)
    window.go("model")
    qtbot.waitUntil(lambda: shown_scene(window), timeout=timeout)


def visible(root: QWidget, kind: type[QWidget]) -> list[QWidget]:
    """The widgets of a kind that one sees."""
    return [child for child in root.findChildren(kind) if child.isVisibleTo(root)]


def _end(workspace: Workspace) -> None:
    deliver = workspace.events.deliver
    bridge = getattr(deliver, "__self__", None)
    if isinstance(bridge, Bridge):
        bridge.close()
    workspace.close()


def _unlock(root: Path) -> None:
    for folder, _, _ in os.walk(root):
        os.chmod(folder, 0o700)
