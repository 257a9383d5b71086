"""The longest stall of the window at each thing that a user does with it, in a filled workspace."""

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

from tests.benchmarks.stalls import Stall, StallMeter

if TYPE_CHECKING:
    from studio.gui.window.main_window import MainWindow
    from studio.workspace import Workspace

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "resources" / "samples" / "digits"
ROUNDS = 3
PROMISE_MS = 50
PROFILE_SECONDS = 3
SIZES = ((1280, 800), (1100, 700), (1440, 900), (1000, 640), (1280, 800))


def fill(home: Path) -> None:
    """A workspace with two variants, a profile, and the record of a release."""
    from studio.workspace import Workspace

    with Workspace.open(home) as workspace:
        workspace.run("open", model=str(DIGITS / "digits.onnx"))
        data = {"data": str(DIGITS / "calibration.npz"), "eval_data": str(DIGITS / "heldout.npz")}
        workspace.run("quantize", model="#1", **data)
        outcome = workspace.run("profile", model=["#1", "#2"], threads=1, seconds=PROFILE_SECONDS)
        assert outcome.ok, outcome.sentence
        record_release(workspace)


def record_release(workspace: Workspace) -> None:
    """Let the pages believe that something is served; nothing is."""
    details = {
        "name": "digits",
        "version": 1,
        "variant_name": "fp32",
        "endpoint": "http://127.0.0.1:9",
        "by": "bench",
    }
    workspace.registry.add_release("local", None, "0" * 64, "serving", details)


class Drive:
    """One window in this process, and what is done with it, each with its worst stall."""

    def __init__(self, home: Path) -> None:
        from studio.gui.app import SWITCH_S, make_application, make_window
        from studio.settings import Paths

        sys.setswitchinterval(SWITCH_S)  # as app.run does it
        self.application = make_application()
        self.meter = StallMeter()
        self.paths = Paths.of(home=home)
        self.window: MainWindow = make_window(self.paths)

    def steps(self) -> Iterator[tuple[str, Stall]]:
        """All measurements, in the order of a session."""
        from studio.gui.app import attach
        from studio.gui.window.stages import STAGES
        from studio.workspace import Workspace

        window, meter = self.window, self.meter
        yield "first_paint", meter.during(window.show, lambda: window._is_painted)
        yield (
            "workspace_opened",
            meter.during(
                lambda: attach(window, Workspace.open()), lambda: window.page() is not None
            ),
        )
        yield "idle_after_it", meter.during(lambda: None, settle=2.5)
        yield "open_digits", self._open_digits()
        for visit in ("first", "second"):
            for stage in STAGES:
                yield f"{visit}_{stage.id}", meter.during(self._going(stage.id), settle=0.5)
        yield "back_and_forth", self._back_and_forth([stage.id for stage in STAGES])
        for stage in STAGES:
            window.go(stage.id)
            yield f"theme_{stage.id}", self._theme()
        yield "select_variant", self._select()
        yield "resize", self._resize()
        yield "running_profile", self._profile()
        yield "palette", meter.during(window.open_palette)

    def _going(self, stage: str) -> Callable[[], None]:
        def go() -> None:
            self.window.go(stage)
            page = self.window.page()
            assert page is not None
            assert page.stage == stage, self.window.toasts.texts

        return go

    def _open_digits(self) -> Stall:
        def shown() -> bool:
            page, project = self.window.page(), self.window.project.value
            return self._idle() and getattr(page, "stage", "") == "project" and project is not None

        return self.meter.during(
            lambda: self.window.open_model(DIGITS / "digits.onnx"), shown, settle=0.5
        )

    def _back_and_forth(self, stages: list[str]) -> Stall:
        """Every page after every other one, without a rest."""
        worst = Stall()
        for stage in (*reversed(stages), *stages):
            stall = self.meter.during(self._going(stage), settle=0.05)
            worst = max(worst, stall, key=lambda stall: stall.wall)
        return worst

    def _theme(self) -> Stall:
        """Switch and switch back; the second switch finds what the first one left to do."""
        stalls = [self.meter.during(self.window.toggle_theme, settle=0.8) for _ in range(2)]
        return max(stalls, key=lambda stall: stall.wall)

    def _select(self) -> Stall:
        window = self.window
        worst = Stall()
        for stage in ("model", "quantize", "profile", "deploy"):
            window.go(stage)
            for number in (2, 1):
                stall = self.meter.during(partial(window.select, number), settle=0.5)
                worst = max(worst, stall, key=lambda stall: stall.wall)
        return worst

    def _resize(self) -> Stall:
        worst = Stall()
        for stage in ("model", "quantize", "profile", "deploy"):
            self.window.go(stage)
            for size in SIZES:
                stall = self.meter.during(partial(self.window.resize, *size), settle=0.4)
                worst = max(worst, stall, key=lambda stall: stall.wall)
        return worst

    def _profile(self) -> Stall:
        from studio.gui.pages.profile.page import ProfilePage

        window = self.window
        window.go("profile")

        def run() -> None:
            options = {"threads": 1, "seconds": PROFILE_SECONDS}
            page = window.page()
            assert isinstance(page, ProfilePage)
            page.form.set_values({"model": ["#1", "#2"], **options})
            page.run()

        return self.meter.during(run, self._idle, settle=0.5)

    def _idle(self) -> bool:
        jobs = self.window.workspace.jobs
        return bool(jobs) and jobs[-1].outcome is not None


def drive(home: Path) -> dict[str, dict[str, float]]:
    """One session in this process."""
    session = Drive(home)
    found = {
        name: {"wall_ms": round(1e3 * stall.wall, 1), "cpu_ms": round(1e3 * stall.processor, 1)}
        for name, stall in session.steps()
    }
    session.window.close()
    return found


def measure(home: Path | None, rounds: int) -> dict[str, object]:
    """The median over sessions of each worst stall, each session in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="edgewright-stalls-") as name:
        folder = Path(name)
        if home is None:
            home = folder / "home"
            fill(home)
        sessions = [_session(home, folder / f"round-{number}") for number in range(rounds)]
        for place in folder.rglob("*"):  # the registry's store is read-only
            place.chmod(0o700)
    stalls = {
        action: {
            unit: statistics.median(session[action][unit] for session in sessions)
            for unit in ("wall_ms", "cpu_ms")
        }
        for action in sessions[0]
    }
    worst = max(stalls, key=lambda action: stalls[action]["wall_ms"])
    return {
        "promise_ms": PROMISE_MS,
        "rounds": rounds,
        "worst": {"action": worst, **stalls[worst]},
        "kept": all(stall["wall_ms"] <= PROMISE_MS for stall in stalls.values()),
        "stalls": stalls,
        "load": os.getloadavg()[0],
    }


def _session(filled: Path, home: Path) -> dict[str, dict[str, float]]:
    """One session on a copy of the workspace; the bytecode is shared."""
    shutil.copytree(filled, home)
    environment = {
        **os.environ,
        "EDGEWRIGHT_HOME": str(home),
        "PYTHONPYCACHEPREFIX": str(home.parent / "bytecode"),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_window", "--drive", str(home)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=300, check=True, env=environment,
    )  # fmt: skip
    found: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure in a workspace of its own, or in one that is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="a filled workspace instead of a new one")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--drive", type=Path, help="one session in this process")
    arguments = parser.parse_args()
    if arguments.drive is not None:
        print(json.dumps(drive(arguments.drive)))
    else:
        print(json.dumps(measure(arguments.home, arguments.rounds), indent=1))


if __name__ == "__main__":
    main()
