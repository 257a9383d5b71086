"""The window as a program: one application, one workspace, one window."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from studio.api import Unavailable
from studio.gui.import_hook import remove_import_hook
from studio.settings import Paths, Settings, full_path
from studio.settings.installation import missing_packages
from studio.settings.logging import crashes
from studio.settings.window_libraries import REQUIREMENT, refuse_missing_library

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from studio.gui.window.main_window import MainWindow
    from studio.workspace import Workspace

LONGEST_WAIT_MS = 500
SWITCH_S = 0.0005


def run(argv: Sequence[str]) -> int:
    """Open the window, with a model or app where one is named, and stay until it is closed.

    Raises:
        Unavailable: when this Python cannot show a window.
    """
    refuse_broken_pair(_pyside_version(), sys.version_info[:2])
    _refuse_no_display()  # before Qt is loaded: a server may lack its libraries, too
    refuse_missing_library()
    # Charts are drawn and plugins found in threads; after each call of Qt the window waits for the
    # interpreter's lock, at most for this long.
    sys.setswitchinterval(SWITCH_S)
    application = make_application()
    from studio.gui.qt_messages import qt_messages_logged

    paths = Paths.of()
    with crashes(paths.logs / "window.err"), qt_messages_logged():
        return _show(application, make_window(paths), argv)


def _show(application: QApplication, window: MainWindow, argv: Sequence[str]) -> int:
    window.show()
    _wait_for_first_paint(window)
    from studio.gui.window.dialogs.recovery import open_workspace  # it knows the workspace

    with open_workspace(window) as workspace:
        workspace.set_source("window")
        attach(window, workspace)
        for name in argv:
            window.open_model(full_path(name))
        return int(application.exec())


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector, which would find nothing among imported modules."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # else it looks at them all at once now
        if was_enabled:
            gc.enable()


@_no_collection()
def make_window(paths: Paths) -> MainWindow:
    """Return the window in the user's theme and place, with no workspace yet and not shown."""
    from studio.gui.theme import Theming
    from studio.gui.window.main_window import MainWindow

    settings = Settings(paths.settings)
    theming = Theming(str(settings["theme"]))
    theming.apply()
    return MainWindow(theming, settings)


def attach(window: MainWindow, workspace: Workspace) -> None:
    """Give a window its workspace; from now on events arrive on the window's thread."""
    from studio.gui.bridge import Bridge

    workspace.events.deliver = Bridge().deliver
    window.attach(workspace)


def _wait_for_first_paint(window: MainWindow) -> None:
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    window.painted.connect(loop.quit)
    QTimer.singleShot(LONGEST_WAIT_MS, loop.quit)  # a window may open minimized, unpainted
    loop.exec()


def refuse_broken_pair(pyside: str, python: tuple[int, int]) -> None:
    """Refuse PySide6 6.12.0 on Python 3.11: each call loses a reference to None, until it aborts.

    Raises:
        Unavailable: for that pair.
    """
    if pyside == "6.12.0" and python == (3, 11):
        raise Unavailable(
            "PySide6 6.12.0 does not work with Python 3.11.",
            hint="Install PySide6-Essentials 6.11.3, or use Python 3.12.",
        )


def _pyside_version() -> str:
    try:
        import PySide6
    except ImportError:
        raise Unavailable(
            "The window needs PySide6, which is not installed.",
            hint=f"Use the commands (studio --help), or {missing_packages([REQUIREMENT])}",
        ) from None
    return str(PySide6.__version__)


def _refuse_no_display() -> None:
    if not _has_display():
        raise Unavailable(
            "There is no display to show a window on.",
            hint="Use the commands instead: studio --help.",
        )


@_no_collection()
def make_application() -> QApplication:
    """Return the application in our own style.

    Raises:
        Unavailable: when there is no display to show a window on.
    """
    _refuse_no_display()
    remove_import_hook()
    from PySide6.QtWidgets import QApplication

    from studio.gui import icons
    from studio.gui.theme import base_font

    _prepare_web_engine()
    # Named here, the style is made once; setStyle would make the default one first.
    application = QApplication(["edgewright", "-style", "fusion"])
    application.setApplicationName("Edgewright")
    application.setDesktopFileName("edgewright")
    application.setFont(base_font())
    icons.register_search_paths()
    application.setWindowIcon(icons.application_icon())
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return application


def _prepare_web_engine() -> None:
    """Set the attributes that Qt WebEngine, if installed, needs before the application.

    Panels of plugins may show pages with it; nothing of it is loaded here.
    """
    if importlib.util.find_spec("PySide6.QtWebEngineCore") is not None:
        from PySide6.QtCore import QCoreApplication, Qt

        QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)


def _has_display() -> bool:
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
