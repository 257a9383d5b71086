"""A session of a robot: a window of a new user, with a model, a second machine, and a clock."""

from __future__ import annotations

import shutil
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QTimer
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.api import TargetSpec
from studio.gui.app import attach, make_application, make_window
from studio.gui.window.main_window import MainWindow
from studio.settings import Paths, resource
from studio.workspace import Workspace
from tests.robot.robot import SIZES, Findings, Robot
from tests.robot.turns import TurnMeter, distribution

_REMOTE, _NOWHERE = "roof", "ssh://nobody@127.0.0.1:1"
SAMPLE = "mine"
_BETWEEN_MS = 60
_OPENING_S = 120.0


@contextmanager
def _noted(found: Findings) -> Iterator[None]:
    """Note every exception that no code has caught, also in slots and on threads."""

    def note(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
        found.exceptions.append("".join(traceback.format_exception(kind, error, at)))

    before, sys.excepthook = sys.excepthook, note
    try:
        yield
    finally:
        sys.excepthook = before


def run(home: Path, seconds: float, seed: int) -> dict[str, object]:
    """Let a robot use the window; returns what it did and what it found.

    Args:
        home: Folder of the user, which must be empty.
    """
    application = make_application()
    QDesktopServices.openUrl = staticmethod(lambda _url: True)  # type: ignore[assignment, unused-ignore]
    window = make_window(Paths.of(home=home))
    window.resize(*SIZES[seed % len(SIZES)])
    window.show()
    with Workspace.open(home) as workspace:
        attach(window, workspace)
        workspace.add_target(TargetSpec(_REMOTE, _NOWHERE))
        _open(window, home)
        found, turns = _let_go(window, home, seconds, seed)
        _end_jobs(workspace)
        window.close()
        for target in [each.name for each in workspace.registry.targets()]:
            if target.startswith("local"):
                workspace.run("undeploy", target=target, purge=True)
    application.processEvents()
    return {
        "seed": seed,
        "seconds": seconds,
        "actions": sum(found.actions.values()),
        "hands": dict(found.actions),
        "pages": dict(found.pages),
        "steps": dict(found.steps),
        "exceptions": found.exceptions,
        "unconfirmed": found.unconfirmed,
        "turns_wall_ms": distribution(turns.wall),
        "turns_cpu_ms": distribution(turns.cpu),
        "slow_turns": sorted(turns.slow, key=lambda one: -one[1])[:20],
    }


def _open(window: MainWindow, home: Path) -> None:
    """Open a copy of the sample: the robot writes into files that it has chosen."""
    folder = shutil.copytree(resource("samples", "digits"), home.parent / SAMPLE)
    window.open_model(Path(folder) / "digits.onnx")
    deadline = time.monotonic() + _OPENING_S
    while window.project.value is None and time.monotonic() < deadline:
        QTest.qWait(50)
    assert window.project.value is not None, window.toasts.texts


def _end_jobs(workspace: Workspace) -> None:
    """End what still runs: a window with jobs asks before it closes."""
    for job in workspace.jobs:
        job.cancel()
    for running in workspace.runs.running():
        running.cancel()
        running.wait(30)
    deadline = time.monotonic() + _OPENING_S
    while any(job.running for job in workspace.jobs) and time.monotonic() < deadline:
        QTest.qWait(50)


def _let_go(
    window: MainWindow, home: Path, seconds: float, seed: int
) -> tuple[Findings, TurnMeter]:
    model = home.parent / SAMPLE / "digits.onnx"
    files = (model, model.with_name("labels.txt"))
    turns = TurnMeter()

    def about_to(what: str) -> None:
        page = window.page()
        turns.begin(f"{what} on {page.stage if page is not None else 'no page'}")

    robot = Robot(window, seed, files, _REMOTE, about_to)
    deadline = time.monotonic() + seconds
    ended: list[bool] = []

    def act() -> None:
        if ended:
            return
        QTimer.singleShot(_BETWEEN_MS, act)  # first: what it does may open a dialog's own loop
        if time.monotonic() < deadline:
            robot.act()
        else:
            _leave_loops()

    with _noted(robot.found):
        QTimer.singleShot(0, act)
        while time.monotonic() < deadline:
            QTest.qWait(200)
    ended.append(True)
    return robot.found, turns


def _leave_loops() -> None:
    """Close a menu or dialog in whose own loop the last action has ended."""
    open_one = QApplication.activePopupWidget() or QApplication.activeModalWidget()
    if open_one is not None:
        open_one.close()
