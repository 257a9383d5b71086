"""Figures of the studio itself, each beside a named peer that was measured in the same minute.

Prints one JSON document: for each figure the median of its rounds in milliseconds, the peer's, and
their ratio. Figure and peer take turns, so that a busy machine disturbs both alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "resources" / "samples" / "digits" / "digits.onnx"
STUDIO = str(Path(sys.executable).with_name("studio"))

_PAINTED = """
from PySide6.QtCore import QEvent, QObject, QTimer
class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, application.quit)
        return False
watch = Watch()
window.installEventFilter(watch)
window.show()
application.exec()
import os
os._exit(0)
"""

BARE_WINDOW = f"""
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow
application = QApplication(["bare"])
window = QMainWindow()
window.setCentralWidget(QLabel("bare"))
{_PAINTED}
"""

STUDIO_WINDOW = f"""
from studio.gui.app import make_application
from studio.gui.theme import Theming
from studio.gui.window import MainWindow
from studio.workspace import Workspace
application = make_application()
workspace = Workspace.open()
theming = Theming("dark")
theming.apply()
window = MainWindow(workspace, theming)
{_PAINTED}
"""

BARE_SESSION = f"import onnxruntime; onnxruntime.InferenceSession({str(DIGITS)!r})"


@dataclass(frozen=True)
class Figure:
    """Something that is timed, and what it is compared with."""

    name: str
    peer_name: str
    ours: list[str]
    peer: list[str]


FIGURES = (
    Figure(
        "window to first paint", "a bare PySide6 main window",
        [sys.executable, "-c", STUDIO_WINDOW], [sys.executable, "-c", BARE_WINDOW],
    ),
    Figure(
        "studio --version", "python -c pass",
        [STUDIO, "--version"], [sys.executable, "-c", "pass"],
    ),
    Figure(
        "studio inspect digits.onnx", "onnxruntime.InferenceSession(digits.onnx)",
        [STUDIO, "inspect", str(DIGITS), "--json"], [sys.executable, "-c", BARE_SESSION],
    ),
)  # fmt: skip


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="for each figure (default 7)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="edgewright-bench-") as home:
        env = {**os.environ, "EDGEWRIGHT_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        figures = [measure(figure, rounds, env) for figure in FIGURES]
    machine = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }
    print(json.dumps({"machine": machine, "rounds": rounds, "figures": figures}, indent=1))
    return 0


def measure(figure: Figure, rounds: int, env: dict[str, str]) -> dict[str, object]:
    """Medians of ours and the peer's, taken in turns; the first turn warms the caches."""
    ours, peer = [], []
    for turn in range(rounds + 1):
        pair = seconds(figure.ours, env), seconds(figure.peer, env)
        if turn:
            ours.append(pair[0])
            peer.append(pair[1])
    ratios = [a / b for a, b in zip(ours, peer, strict=True)]
    return {
        "name": figure.name,
        "ms": round(1000 * statistics.median(ours), 1),
        "peer": figure.peer_name,
        "peer_ms": round(1000 * statistics.median(peer), 1),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_range": [round(min(ratios), 2), round(max(ratios), 2)],
    }


def seconds(command: list[str], env: dict[str, str]) -> float:
    """How long a whole process takes."""
    began = time.perf_counter()
    subprocess.run(command, env=env, capture_output=True, timeout=60, check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
