"""The longest turn of the event loop at each place of the window, by the processor's time."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.bench_window import DIGITS, PROMISE_MS, ROOT, fill
from tests.benchmarks.stalls import StallMeter

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from studio.gui.pages.shared.base import Page
    from studio.gui.window.main_window import MainWindow

ROUNDS = 3
WIDE, NARROW = (1280, 800), (960, 600)
SETTLE_S = 0.35
Turns = dict[str, dict[str, float]]


class Tour:
    """One window, and everything in it that can be visited.

    Args:
        ahead: Let the window make its pages in idle turns before they are visited.
        only: Places to visit; all by default.
    """

    def __init__(self, home: Path, ahead: bool, only: frozenset[str]) -> None:
        from studio.gui.app import SWITCH_S, make_application, make_window
        from studio.settings import Paths

        sys.setswitchinterval(SWITCH_S)  # as app.run does it
        self.application = make_application()
        self.meter = StallMeter()
        self.window: MainWindow = make_window(Paths.of(home=home))
        self._ahead, self._only = ahead, only

    def turns(self) -> Iterator[tuple[str, str, float]]:
        """Each place, what was done there, and the milliseconds of the longest turn."""
        from studio.gui.app import attach
        from studio.gui.window.stages import AHEAD, BY_ID
        from studio.workspace import Workspace

        window = self.window
        window.resize(*WIDE)
        yield "window", "show", self._longest(window.show, lambda: window._is_painted)
        yield (
            "window",
            "attach",
            self._longest(
                lambda: attach(window, Workspace.open()), lambda: window.page() is not None
            ),
        )
        if not self._ahead:
            window._ahead.stop()
        else:
            everything = {stage.id for stage in AHEAD}
            made = lambda: everything <= {page.stage for page in window.pages()}  # noqa: E731
            yield "window", "idle", self._longest(lambda: None, made, settle=1.5)
        yield "window", "open", self._longest(self._open, self._is_open)
        places = [one for one in BY_ID if one != "welcome" and self._wanted(one)]
        for visit in ("first", "second"):
            for stage in places:
                yield stage, visit, self._visit(stage)
                yield from self._views(stage, visit)
        for stage in places:
            yield stage, "changed", self._changed(stage)
        yield "window", "variant", self._select()
        for stage in places:
            yield from self._again(stage)
        yield from self._above()

    def _wanted(self, place: str) -> bool:
        return not self._only or place in self._only

    def _longest(
        self,
        action: Callable[[], object],
        done: Callable[[], bool] = lambda: True,
        settle: float = SETTLE_S,
    ) -> float:
        self.meter.during(action, done, settle=settle)
        return 1e3 * self.meter.longest_computed.processor

    def _open(self) -> None:
        self.window.open_model(DIGITS / "digits.onnx")

    def _is_open(self) -> bool:
        jobs = self.window.workspace.jobs
        is_idle = bool(jobs) and jobs[-1].outcome is not None
        return is_idle and self.window.project.value is not None

    def _visit(self, stage: str) -> float:
        return self._longest(partial(self.window.go, stage))

    def _page(self, stage: str) -> Page:
        page = self.window.page()
        assert page is not None
        assert page.stage == stage, self.window.toasts.texts
        return page

    def _views(self, stage: str, what: str) -> Iterator[tuple[str, str, float]]:
        """All sub-views of a page but the one that is shown."""
        page = self._page(stage)
        for index in range(1, page.stack.count()):
            title = page._views._views[index].button.text()
            show, made = partial(page.show_view, index), partial(_is_made, page.stack.widget(index))
            yield f"{stage}/{title}", what, self._longest(show, made)
        page.show_view(0)

    def _changed(self, stage: str) -> float:
        """A page that is visited after the registry has changed."""
        from studio.workspace import RegistryChanged

        self.window.go("welcome")
        self._longest(lambda: self.window.workspace.events.publish(RegistryChanged("records")))
        return self._visit(stage)

    def _select(self) -> float:
        """The other variant, on each of the pages that are about it; the longest turn of all."""
        window = self.window
        longest = [0.0]
        for stage in ("project", "model", "quantize", "profile", "deploy"):
            window.go(stage)
            self._longest(lambda: None)
            longest += [self._longest(partial(window.select, number)) for number in (2, 1)]
        return max(longest)

    def _again(self, stage: str) -> Iterator[tuple[str, str, float]]:
        """A page that is resized, dressed, and visited in the moment after a change of theme."""
        window = self.window
        window.go(stage)
        page = self._page(stage)
        for index in range(page.stack.count()):
            page.show_view(index)
            place = f"{stage}/{page._views._views[index].button.text()}" if index else stage
            sizes = (NARROW, WIDE)
            longest = [self._longest(partial(window.resize, *size)) for size in sizes]
            yield place, "resize", max(longest)
            longest = [self._longest(window.toggle_theme, settle=0.8) for _ in range(2)]
            yield place, "theme", max(longest)
        page.show_view(0)
        window.go("project" if stage != "project" else "model")
        self._longest(lambda: None)
        self._longest(window.toggle_theme, settle=0.03)
        yield stage, "after_theme", self._visit(stage)
        yield from self._views(stage, "after_theme")

    def _above(self) -> Iterator[tuple[str, str, float]]:
        """What opens above the pages, twice."""
        from studio.gui.pages.deploy.page import DeployPage

        window = self.window
        for visit in ("first", "second"):
            for name in ("activity", "help"):
                yield name, visit, self._longest(partial(window.side.toggle, name))
                window.side.close_panel()
            yield "palette", visit, self._longest(window.open_palette)
            palette = window._palette
            assert palette is not None
            palette.hide()
            if not self._wanted("deploy"):
                continue
            window.go("deploy")
            self._longest(lambda: None)
            page = self._page("deploy")
            assert isinstance(page, DeployPage)
            yield "deploy sheet", visit, self._longest(page._configure)
            page.sheet.close_sheet()


def _is_made(view: QWidget) -> bool:
    """Whether a view is there; a plugin's panel is imported on another thread first."""
    return getattr(view, "panel", view) is not None


def tour(home: Path, ahead: bool, only: frozenset[str]) -> Turns:
    """All turns of one window in this process."""
    session = Tour(home, ahead, only)
    found: Turns = {}
    for place, what, longest in session.turns():
        found.setdefault(place, {})[what] = round(longest, 1)
    session.window.close()
    return found


def measure(home: Path | None, rounds: int, ahead: bool, only: str) -> dict[str, object]:
    """The median over some windows, each in a process of its own, and the places beyond."""
    with tempfile.TemporaryDirectory(prefix="edgewright-turns-") as name:
        folder = Path(name)
        if home is None:
            home = folder / "home"
            fill(home)
        tours = [_tour(home, folder / f"round-{number}", ahead, only) for number in range(rounds)]
        for place in folder.rglob("*"):  # the registry's store is read-only
            if not place.is_symlink():
                place.chmod(0o700)
    turns = {
        place: {
            action: statistics.median(one[place][action] for one in tours) for action in actions
        }
        for place, actions in tours[0].items()
    }
    flat = {f"{place} {action}": ms for place, at in turns.items() for action, ms in at.items()}
    beyond = {name: ms for name, ms in flat.items() if ms > PROMISE_MS}
    return {
        "promise_ms": PROMISE_MS,
        "rounds": rounds,
        "ahead": ahead,
        "beyond": dict(sorted(beyond.items(), key=lambda one: -one[1])),
        "turns_cpu_ms": turns,
        "load": os.getloadavg()[0],
    }


def _tour(filled: Path, home: Path, ahead: bool, only: str) -> Turns:
    """One window on a copy of the workspace; the bytecode is shared."""
    shutil.copytree(filled, home)
    environment = {
        **os.environ,
        "EDGEWRIGHT_HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(home.parent / "bytecode"),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    argv = ["--tour", str(home), "--only", only, *([] if ahead else ["--at-once"])]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_turns", *argv],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=600, check=True, env=environment,
    )  # fmt: skip
    found: Turns = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure in a workspace of its own, or in one that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="a filled workspace instead of a new one")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="stages, separated by commas")
    parser.add_argument("--at-once", action="store_true", help="make no page before its visit")
    parser.add_argument("--tour", type=Path, help="one window in this process")
    arguments = parser.parse_args()
    ahead = not arguments.at_once
    if arguments.tour is not None:
        only = frozenset(filter(None, arguments.only.split(",")))
        print(json.dumps(tour(arguments.tour, ahead, only)))
    else:
        found = measure(arguments.home, arguments.rounds, ahead, arguments.only)
        print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
