"""Pictures of every page, light and dark, for the README: a real workspace, a real deployment.

The Fleet view shows five servers of this computer that are really asked, one of them with dim
pictures, while another gets the other version. The digits pipeline fills a fresh workspace
(its last step, which takes the deployment away, is left out until the pictures are taken); then the
window is shown off screen and each page is grabbed when two looks in a row are alike. With names of
pages as arguments only those are taken.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from studio.gui.window.main_window import MainWindow
    from studio.workspace import Workspace

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "screenshots"
STUDIO = str(Path(sys.executable).with_name("studio"))
DIGITS = ROOT / "resources" / "samples" / "digits"
SIZE = (1440, 900)
LONGEST_SETTLE = 15.0  # seconds; a live page never stands still
BETWEEN = 1.0  # seconds between two looks; the first chart takes half of that
LIVE_REQUESTS = 100_000
LINES = tuple(f"line-{number}" for number in range(1, 6))
APP_S = 5.0
FLEET_S = 45.0
"""Long enough for two windows of drift, and for a version to change in sight."""
EARLY = {"welcome", "model", "quantize", "app", "evidence", "responsible"}
"""Pages that show nothing of what comes behind the quantization."""


def main() -> int:
    """Fill a workspace, take the pictures, take the deployment away."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix="edgewright-shots-", ignore_cleanup_errors=True
    ) as name:
        # A readable name: pages show where things are.
        home = Path(name, "edgewright")
        os.environ["EDGEWRIGHT_HOME"] = str(home)
        try:
            wanted = set(sys.argv[1:])
            fill(home, "profile" if wanted and wanted <= EARLY else "rollback")
            if not wanted or "monitor" in wanted:
                fill_fleet(home)
            for theme in ("dark", "light"):
                take(home, theme, wanted)
        finally:
            for target in ("local", *LINES):
                subprocess.run([STUDIO, "undeploy", "--target", target], check=False)
            for folder, _, _ in os.walk(name):
                os.chmod(folder, 0o700)  # the store is read-only
    return 0


def fill(home: Path, end: str) -> None:
    """Run the digits pipeline up to one of its steps."""
    text = (DIGITS / "pipeline.toml").read_text(encoding="utf-8")
    head, _, _ = text.partition(f'[[steps]]\nid = "{end}"')
    folder = home.parent / "digits"
    subprocess.run([STUDIO, "samples", "get", "digits", "--out", str(folder)], check=True)
    (folder / "screenshots.toml").write_text(head, encoding="utf-8")
    pipeline = str(folder / "screenshots.toml")
    subprocess.run([STUDIO, "run", pipeline, "--var", "target=local"], check=True)


def fill_fleet(home: Path) -> None:
    """Deploy the model to more places of this computer, each a server of its own."""
    for line in LINES:
        root = ("--root", str(home.parent / line))
        subprocess.run([STUDIO, "target", "add", line, "local:", *root], check=True)
        deploy_to(line, "fp32")


def deploy_to(line: str, variant: str) -> None:
    """Deploy with the data that drift is held against."""
    data = ("--data", str(DIGITS / "heldout.npz"), "--labels", str(DIGITS / "labels.txt"))
    words = [STUDIO, "deploy", f"digits:{variant}", "--target", line, *data]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def take(home: Path, theme: str, wanted: set[str]) -> None:
    """Grab every page in one theme, or those that are wanted."""
    from PySide6.QtWidgets import QApplication

    from studio.gui.app import attach, make_application, make_window
    from studio.gui.window.stages import BY_ID
    from studio.workspace import Workspace

    application = QApplication.instance() or make_application()
    assert isinstance(application, QApplication)
    with Workspace.open(home) as workspace:
        workspace.settings["theme"] = theme
        window = make_window(workspace.paths)
        window.resize(*SIZE)
        window.show()
        attach(window, workspace)
        for page in dict.fromkeys(("welcome", *BY_ID)):
            if wanted and page not in wanted:
                continue
            if page != "welcome":
                window.select(workspace.registry.variants()[-1].id)
            window.go(page)
            if page == "quantize":
                quantize(application, window, workspace, theme)
            elif find_spec(f"screenshots_{page}"):
                import_module(f"screenshots_{page}").show(application, window, workspace, theme)
            elif page == "monitor":
                live(application, window, workspace)
                save(window, page, theme)
                fleet(application, window, theme)
                page = "alerts"
                alerts(application, window, workspace)
            else:
                settle(application, window, workspace)
            save(window, page, theme)
            if page == "model":
                compare(application, window, workspace)
                save(window, "compare", theme)
            for job in workspace.jobs:  # the watch of the live page
                job.cancel()
        window.close()


def quantize(
    application: QApplication, window: MainWindow, workspace: Workspace, theme: str
) -> None:
    """Grab the views behind the first one, and show the first with its results."""
    page = window.page()
    assert page is not None
    for index, name in ((1, "lineage"), (2, "layers"), (3, "samples")):
        page.show_view(index)
        settle(application, window, workspace)
        save(window, f"quantize-{name}", theme)
    page.show_view(0)
    folder = workspace.paths.data.parents[1] / "digits"
    data = {"data": "calibration.npz", "eval_data": "heldout.npz"}
    page.form.set_values({name: str(folder / file) for name, file in data.items()})
    settle(application, window, workspace)
    settle(application, window, workspace)  # the look ahead begins a little later


def compare(application: QApplication, window: MainWindow, workspace: Workspace) -> None:
    """Show both variants side by side, with a difference selected."""
    from studio.gui.pages.model.page import ModelPage

    page = window.page()
    assert isinstance(page, ModelPage)
    page.show_view(2)
    settle(application, window, workspace)
    for _ in range(3):
        page.compare.step(1)
    settle(application, window, workspace)


def live(application: QApplication, window: MainWindow, workspace: Workspace) -> None:
    """Watch the deployment while it is called."""
    call = [STUDIO, "call", "--requests", str(LIVE_REQUESTS), "--data", str(DIGITS / "heldout.npz")]
    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as caller:
        settle(application, window, workspace)
        caller.terminate()


def dimmed(name: str) -> Path:
    """The held-out digits as a lamp that fails would show them."""
    import numpy as np

    path = Path(os.environ["EDGEWRIGHT_HOME"]).parent / f"{name}.npz"
    with np.load(DIGITS / "heldout.npz") as found:
        arrays = {key: found[key] for key in found.files}
    largest = max(arrays, key=lambda key: arrays[key].size)
    arrays[largest] = (arrays[largest] * 0.6).astype(arrays[largest].dtype)
    np.savez(path, **arrays)
    return path


def fleet(application: QApplication, window: MainWindow, theme: str) -> None:
    """Watch five servers: one is asked what it does not know, one gets another version."""
    from studio.gui.pages.monitor import page as monitor

    page = window.page()
    assert isinstance(page, monitor.MonitorPage)
    monitor.FLEET_EVERY_S = 0.5  # a picture has no patience
    page.show_view(monitor.FLEET_VIEW)
    digits, dim = (("--data", str(path)) for path in (DIGITS / "heldout.npz", dimmed(LINES[3])))
    callers = [
        subprocess.Popen(
            [STUDIO, "call", "--target", line, "--requests", str(LIVE_REQUESTS), *what],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for line, what in zip(LINES, (digits, digits, digits, dim, digits), strict=True)
    ]
    try:
        wait(application, FLEET_S / 2)
        if theme == "dark":
            deploy_to(LINES[1], "int8")
        else:
            subprocess.run([STUDIO, "rollback", "--target", LINES[1]], check=True)
        wait(application, FLEET_S / 2)
        page.fleet.show_now()
        save(window, "fleet", theme)
    finally:
        for caller in callers:
            caller.terminate()
            caller.wait()


def alerts(application: QApplication, window: MainWindow, workspace: Workspace) -> None:
    """Show rules and channels, and the form of one."""
    from studio.gui.pages.monitor import page as monitor

    page = window.page()
    assert isinstance(page, monitor.MonitorPage)
    book = workspace.alerts
    if not book.path.exists():
        slow = {"name": "slow", "metric": "latency_ms.p99", "above": 40, "for_s": 60}
        wrong = {"metric": "accuracy", "below": 0.95, "level": "critical"}
        mail = {"kind": "email", "host": "mail.example.org", "to": ["ann@example.org"]}
        hook = {"kind": "webhook", "url": "https://example.org/hook", "levels": ["critical"]}
        for number, rule in enumerate((slow, wrong)):
            book.put("rules", number, rule)
        for number, channel in enumerate((mail, hook)):
            book.put("channels", number, channel)
    page.show_view(monitor.ALERTS_VIEW)
    page.alerting.edit_rule.click()
    settle(application, window, workspace)


def wait(application: QApplication, seconds: float) -> None:
    """Work off events for a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        application.processEvents()
        time.sleep(0.01)


def settle(application: QApplication, window: MainWindow, workspace: Workspace) -> None:
    """Work off events until no job runs and the picture stands still, or the time is up."""
    deadline = time.monotonic() + LONGEST_SETTLE
    last = None
    while time.monotonic() < deadline:
        pause = time.monotonic() + BETWEEN
        while time.monotonic() < pause:
            application.processEvents()
            time.sleep(0.01)
        picture = window.grab().toImage()
        if picture == last and all(job.outcome is not None for job in workspace.jobs):
            return
        last = picture


def save(window: MainWindow, page: str, theme: str) -> None:
    """Write one picture."""
    path = OUT / f"{page}-{theme}.png"
    if not window.grab().save(str(path)):
        raise SystemExit(f"{path} cannot be written.")
    print(path.relative_to(ROOT), flush=True)


if __name__ == "__main__":
    sys.exit(main())
