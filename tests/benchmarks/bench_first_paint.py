"""Time from the start of the process to the first painted window, against a bare main window."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 7
BARE = """
import time; began = time.perf_counter()
from PySide6.QtWidgets import QApplication, QMainWindow
application = QApplication([])
window = QMainWindow()
window.resize(1280, 800)
"""
STUDIO = """
import time; began = time.perf_counter()
from studio.gui.app import make_application, make_window
from studio.settings import Paths
application = make_application()
window = make_window(Paths.of())
"""
SHOW = """
from PySide6.QtCore import QEvent, QObject
class Watch(QObject):
    painted = 0.0
    def eventFilter(self, watched, event):
        if event.type() is QEvent.Type.Paint and not self.painted:
            self.painted = 1.0
        return False
watch = Watch()
window.installEventFilter(watch)
window.show()
while not watch.painted:
    application.processEvents()
print(time.perf_counter() - began)
import os, sys
sys.stdout.flush()
os._exit(0)
"""


def first_paint(code: str, folder: Path) -> float:
    """Seconds that one process takes to its first paint, imports included."""
    environment = {
        **os.environ,
        "EDGEWRIGHT_HOME": str(folder / "home"),
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    done = subprocess.run(
        [sys.executable, "-c", code + SHOW],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environment,
    )
    return float(done.stdout)


def measure(rounds: int = ROUNDS) -> dict[str, object]:
    """Both windows in turn, so that a busy moment slows both; the ratio is that of each round."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for code in (BARE, STUDIO):  # compiles the modules and makes the registry
            first_paint(code, folder)
        pairs = [(first_paint(BARE, folder), first_paint(STUDIO, folder)) for _ in range(rounds)]
        for place in folder.rglob("*"):  # the registry's store is read-only
            place.chmod(0o700)
    return {
        "bare_ms": round(1000 * statistics.median(bare for bare, _ in pairs), 1),
        "studio_ms": round(1000 * statistics.median(studio for _, studio in pairs), 1),
        "ratio": round(statistics.median(studio / bare for bare, studio in pairs), 3),
        "rounds": rounds,
    }


if __name__ == "__main__":
    print(json.dumps(measure()))
