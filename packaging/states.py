"""Pictures of every view of the window in each state, to be looked at by a person.

One command fills a workspace as the screenshots do and starts a window for each state, theme,
width and scale: empty, loading, error and done. Errors are real ones: a cut file, a folder of
data that is gone, a board that refuses connections, a lost model file.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import screenshots

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication, QWidget

    from studio.gui.window.main_window import MainWindow
    from studio.workspace import Workspace

THEMES, WIDTHS, SCALES = ("light", "dark"), (960, 1280), (1, 2)
HEIGHT = 720
PAUSE_S, ANSWER_S = 0.6, 5.0
LOADING_S = (0.1, 0.5, 2.0)
"""Pauses before the pictures of a job: its start, its first report, its middle."""


@dataclass
class Camera:
    """An open window, and the folder for its pictures."""

    application: QApplication
    window: MainWindow
    workspace: Workspace
    out: Path

    def wait(self, seconds: float = PAUSE_S) -> None:
        """Work off events for a while."""
        screenshots.wait(self.application, seconds)

    def take(self, name: str, widget: QWidget | None = None) -> None:
        """Write one picture, of the window by default."""
        path = self.out / f"{name}.png"
        if not (widget or self.window).grab().save(str(path)):
            raise SystemExit(f"{path} cannot be written.")

    def page(self, stage: str) -> Any:
        """Show a page and return it; each has methods of its own."""
        while self.window.toasts.close_message():
            pass
        self.window.go(stage)
        self.wait()
        return self.window.page()

    def during(self, name: str, start: Callable[[], object]) -> None:
        """Write pictures of a job while it runs."""
        start()
        for number, seconds in enumerate(LOADING_S):
            self.wait(seconds)
            self.take(f"{name}-{number}")
        self.wait(ANSWER_S)

    def after(self, name: str, start: Callable[[], object]) -> None:
        """Write a picture of what came of an action."""
        start()
        self.wait(ANSWER_S)
        self.take(name)


def views(camera: Camera) -> None:
    """Take every view of every page, and what opens over the pages."""
    from studio.gui.window.stages import BY_ID

    for stage in BY_ID:
        page = camera.page(stage)
        for index in range(page.stack.count()):
            page.show_view(index)
            camera.wait()
            camera.take(f"{stage}-{index}")
        page.show_view(0)
    for name in ("activity", "help"):
        camera.window.side.toggle(name)
        camera.wait()
        camera.take(name)
        camera.window.side.close_panel()
    deploy = camera.page("deploy")
    for kind, tile in deploy.gallery.kind_tiles.items():
        tile.click()
        camera.wait()
        camera.take(f"sheet-{kind}")
        deploy.sheet.close_sheet()


def done(camera: Camera) -> None:
    """Take the pages of a model, with the tools of the graph and the dialogs."""
    views(camera)
    page = camera.page("model")
    for number in range(page.drawer.tools.count()):
        page.drawer.open(number)
        camera.wait()
        camera.take(f"tool-{number}")
    quantize = camera.page("quantize")
    quantize.show_options()
    camera.wait()
    camera.take("sheet-presets")


def loading(camera: Camera) -> None:
    """Take the pages while their jobs run."""
    pipeline = camera.workspace.paths.data.parents[1] / "digits" / "pipeline.toml"
    for stage, name in (("quantize", "run"), ("profile", "run"), ("deploy", "plan")):
        camera.during(stage, getattr(camera.page(stage), name))
    targets, runs = camera.page("targets"), camera.page("runs")
    camera.page("targets")
    camera.during("targets", lambda: targets.probe("local"))
    camera.page("runs")
    camera.during("runs", lambda: runs.run(pipeline))
    camera.during("try", camera.page("try").try_sample)
    monitor = camera.page("monitor")
    camera.during("fleet", lambda: monitor.show_view(1))


def error(camera: Camera) -> None:
    """Take the pages after real failures."""
    samples = camera.workspace.paths.data.parents[1] / "digits"
    whole = (samples / "digits.onnx").read_bytes()
    files = {"cut.onnx": whole[: len(whole) // 2], "empty.onnx": b"", "noise.tflite": whole[::-1]}
    camera.page("project")
    for name, content in files.items():
        path = samples.with_name(name)
        path.write_bytes(content)
        camera.after(f"open-{path.stem}", partial(camera.window.open_model, path))
    moved = samples.rename(samples.with_name("moved"))
    for stage in ("project", "quantize", "profile", "try", "deploy"):
        camera.page(stage)
        camera.take(f"no-data-{stage}")
    moved.rename(samples)
    targets = camera.page("targets")
    targets.form.set_values({"name": "bench-pi", "url": "ssh://pi@127.0.0.1:9"})
    camera.after("refused-targets", targets.add)
    deploy = camera.page("deploy")
    deploy.gallery.choose("bench-pi")
    camera.after("refused-deploy", deploy.plan)
    stored = camera.workspace.registry.variants()[-1].path
    stored.parent.chmod(0o700)
    content = stored.read_bytes()
    stored.unlink()
    camera.after("lost-profile", camera.page("profile").run)
    camera.window.side.toggle("activity")
    camera.wait()
    camera.take("activity")
    stored.write_bytes(content)


STATES = {"empty": views, "loading": loading, "error": error, "done": done}


def show(state: str, home: Path, out: Path, theme: str, width: int) -> None:
    """Open one window, bring it into a state and write its pictures."""
    from studio.gui.app import attach, make_application, make_window
    from studio.workspace import Workspace

    out.mkdir(parents=True, exist_ok=True)
    application = make_application()
    with Workspace.open(home) as workspace:
        workspace.settings["theme"] = theme
        window = make_window(workspace.paths)
        window.resize(width, HEIGHT)
        window.show()
        attach(window, workspace)
        camera = Camera(application, window, workspace, out)
        camera.wait(2 * PAUSE_S)
        if variants := workspace.registry.variants():
            window.select(variants[-1].id)
        STATES[state](camera)
        for job in workspace.jobs:
            job.cancel()
        camera.wait()
        window.close()


def take_all(arguments: argparse.Namespace, folder: Path) -> None:
    """Start a window for each picture series: the scale of a screen is set before it starts."""
    full, empty = folder / "full" / "edgewright", folder / "empty" / "edgewright"
    if set(arguments.states) - {"empty"}:
        os.environ["EDGEWRIGHT_HOME"] = str(full)
        full.parent.mkdir()
        screenshots.fill(full, "rollback")
    for state, theme, width, scale in itertools.product(arguments.states, THEMES, WIDTHS, SCALES):
        home = empty if state == "empty" else full
        out = arguments.out / f"{state}-{theme}-{width}-{scale}"
        started = time.monotonic()
        words = [sys.executable, __file__, "--one", state, str(home), str(out), theme, str(width)]
        environment = {**os.environ, "QT_SCALE_FACTOR": str(scale), "EDGEWRIGHT_HOME": str(home)}
        subprocess.run(words, check=True, env=environment)
        print(f"{out}: {time.monotonic() - started:.0f} s", flush=True)


def main() -> int:
    """Write the pictures of all states, or of those that are named."""
    if sys.argv[1:2] == ["--one"]:
        state, home, out, theme, width = sys.argv[2:]
        show(state, Path(home), Path(out), theme, int(width))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("states", nargs="*", default=list(STATES), help=", ".join(STATES))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="states-", ignore_cleanup_errors=True) as name:
        try:
            take_all(arguments, Path(name))
        finally:
            subprocess.run([screenshots.STUDIO, "undeploy", "--target", "local"], check=False)
            for folder, _, _ in os.walk(name):
                os.chmod(folder, 0o700)  # the store is read-only
    return 0


if __name__ == "__main__":
    sys.exit(main())
