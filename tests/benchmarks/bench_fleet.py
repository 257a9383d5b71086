"""The fleet page with 500 simulated endpoints at 1 Hz: stalls of the event loop, and memory.

Prints one JSON document. Ten minutes show that memory is flat: ``--seconds 600``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from studio.gui.pages.fleet_view import FleetView
from studio.gui.theme import Theming
from studio.workspace.fleet import KEPT
from studio.workspace.inbox import Inbox
from tests.benchmarks.fleet_data import SimulatedFleet

_BEAT_MS = 5
_LIMIT_MS = 50.0


def resident_mb() -> float:
    """Resident memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--endpoints", type=int, default=500)
    given = parser.parse_args()
    app = QApplication(sys.argv[:1])
    theming = Theming("light")
    theming.apply()
    view = FleetView(theming, Inbox())
    view.resize(1280, 800)
    view.show()
    fleet = SimulatedFleet(given.endpoints)
    for _ in range(KEPT + 10):  # what is kept of each endpoint is full from here on
        view.take(fleet.look())
    view.show_now()
    gaps: list[float] = []
    work: list[float] = []
    memory: list[tuple[float, float]] = []
    last = [time.perf_counter(), time.thread_time()]
    began = time.perf_counter()

    def beat() -> None:
        now, busy = time.perf_counter(), time.thread_time()
        gaps.append((now - last[0]) * 1e3)
        work.append((busy - last[1]) * 1e3)
        last[:] = [now, busy]

    def feed() -> None:
        samples = fleet.look()
        beat()  # making them up is the benchmark's own work
        view.take(samples)
        view.rows.viewport().update()
        elapsed = time.perf_counter() - began
        if elapsed > 10:  # by then all that is allocated once is
            memory.append((elapsed, resident_mb()))
        if elapsed > given.seconds:
            app.quit()

    timers = []
    for interval, call in ((_BEAT_MS, beat), (1000, feed)):
        timer = QTimer()
        timer.setInterval(interval)
        timer.timeout.connect(call)
        timer.start()
        timers.append(timer)
    app.exec()
    first, final = memory[0], memory[-1]
    minutes = max((final[0] - first[0]) / 60, 1e-9)
    document = {
        "name": "fleet",
        "endpoints": given.endpoints,
        "seconds": round(time.perf_counter() - began, 1),
        "longest_gap_ms": round(max(gaps[20:]), 1),
        "longest_work_ms": round(max(work[20:]), 1),
        "gaps_over_50_ms": sum(gap > _LIMIT_MS for gap in gaps[20:]),
        "work_over_50_ms": sum(one > _LIMIT_MS for one in work[20:]),
        "memory_mb": [round(first[1], 1), round(final[1], 1)],
        "memory_mb_a_minute": round((final[1] - first[1]) / minutes, 3),
        "processor_share": round(time.process_time() / (time.perf_counter() - began), 3),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
