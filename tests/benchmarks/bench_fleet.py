"""The fleet page with 500 simulated endpoints at 1 Hz: stalls of the event loop, and memory.

Prints one JSON document. Ten minutes show that memory is flat: ``--seconds 600``.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from studio.gui.pages.monitor.fleet_view import FleetView
from studio.gui.theme import Theming
from studio.workspace.inbox import Inbox
from studio.workspace.sample_ring import KEPT
from tests.benchmarks.fleet_data import SimulatedFleet

_BEAT_MS = 5
_LIMIT_MS = 50.0
_SETTLED_S = 10.0
"""By then all that is allocated once is."""


class Turns:
    """How long the turns of the event loop took. Nothing is kept of each: memory is measured."""

    def __init__(self) -> None:
        self.longest = {"gap": 0.0, "work": 0.0}
        self.over = {"gap": 0, "work": 0}
        self.longest_own_ms = 0.0
        self._last = time.perf_counter(), time.thread_time()

    def beat(self) -> None:
        """A turn is over."""
        for name, took in zip(("gap", "work"), self._since(), strict=True):
            self.longest[name] = max(self.longest[name], took)
            self.over[name] += took > _LIMIT_MS

    def own(self) -> None:
        """What was done since the last beat is the work of the benchmark."""
        self.longest_own_ms = max(self.longest_own_ms, self._since()[1])

    def _since(self) -> tuple[float, float]:
        """Milliseconds of the clock and of the processor since the last call."""
        now = time.perf_counter(), time.thread_time()
        then, self._last = self._last, now
        return (now[0] - then[0]) * 1e3, (now[1] - then[1]) * 1e3


class Memory:
    """Resident memory of this process, in MB: at first, at last, and the line between."""

    def __init__(self) -> None:
        self.first: tuple[float, float] | None = None
        self.final = 0.0, 0.0

    def look(self, elapsed: float) -> None:
        """Look now."""
        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[1])
        self.final = elapsed, pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        self.first = self.first or self.final

    def a_minute(self) -> float:
        """Growth in MB a minute."""
        first = self.first or self.final
        return (self.final[1] - first[1]) / max((self.final[0] - first[0]) / 60, 1e-9)


def make_view(folder: Path, fleet: SimulatedFleet) -> FleetView:
    """The page as the window has it, full of what it keeps."""
    theming = Theming("light")
    theming.apply()
    view = FleetView(theming, Inbox(folder / "alerts.json"))
    view.resize(1280, 800)
    view.show()
    gc.freeze()  # as the window does when a page is made
    for _ in range(KEPT + 10):
        view.ingest(fleet.look())
    view.show_now()
    return view


class Run:
    """The page is fed once a second for a while."""

    def __init__(self, app: QApplication, view: FleetView, fleet: SimulatedFleet) -> None:
        self.turns, self.memory = Turns(), Memory()
        self._app, self._view, self._fleet = app, view, fleet
        self._began, self._busy = time.perf_counter(), time.process_time()
        self._seconds = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self._began

    def measure(self, seconds: float) -> None:
        """Feed it for so many seconds."""
        self._seconds = seconds
        timers = [QTimer(), QTimer()]
        calls = ((_BEAT_MS, self.turns.beat), (1000, self._feed))
        for timer, (interval, call) in zip(timers, calls, strict=True):
            timer.setInterval(interval)
            timer.timeout.connect(call)
            timer.start()
        self.turns.own()
        self._app.exec()

    def _feed(self) -> None:
        self.turns.beat()
        samples = self._fleet.look()
        self.turns.own()
        self._view.ingest(samples)
        if self.elapsed > min(_SETTLED_S, self._seconds / 2):
            self.memory.look(self.elapsed)
        if self.elapsed > self._seconds:
            self._app.quit()

    def document(self) -> dict[str, object]:
        """What was found."""
        longest, over = self.turns.longest, self.turns.over
        first = self.memory.first or self.memory.final
        return {
            "seconds": round(self.elapsed, 1),
            "longest_gap_ms": round(longest["gap"], 1),
            "longest_work_ms": round(longest["work"], 1),
            "gaps_over_50_ms": over["gap"],
            "work_over_50_ms": over["work"],
            "longest_own_ms": round(self.turns.longest_own_ms, 1),
            "memory_mb": [round(first[1], 1), round(self.memory.final[1], 1)],
            "memory_mb_a_minute": round(self.memory.a_minute(), 3),
            "processor_share": round((time.process_time() - self._busy) / self.elapsed, 3),
            "load": os.getloadavg()[0],
        }


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--endpoints", type=int, default=500)
    given = parser.parse_args()
    app = QApplication(sys.argv[:1])
    fleet = SimulatedFleet(given.endpoints)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(app, make_view(Path(folder), fleet), fleet)
        run.measure(given.seconds)
    document = {"name": "fleet", "endpoints": given.endpoints, **run.document()}
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
