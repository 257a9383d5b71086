"""Turns of the window's event loop while 10,000 boards send a heartbeat a minute each.

Prints one JSON document. The boards are simulated in a process of their own and publish to a real
nats-server, from which a worker of the window merges them. With ``--direct`` they come without a
broker, as the worker would send them. A user filters, groups, selects and scrolls all the time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.benchmarks.bench_fleet_state import memory_mb
from tests.rigs.nats_server import NatsServer
from tests.unit.monitoring.boards.boards import SimulatedBoard, sent

if TYPE_CHECKING:
    from studio.gui.pages.fleet.boards_view import FleetBoardsView

BEAT_MS = 2
GOAL_MS = 50.0
_PATIENCE_S = 300.0
_ACT_S = 1.5


class Turns:
    """Lengths of the turns of the window's event loop: by the clock, and of its own thread."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.wall: list[float] = []
        self.processor: list[float] = []
        self._last = (time.perf_counter(), time.thread_time())
        self._beat = QTimer(interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._listen)
        self._beat.start()

    def restart(self) -> None:
        """Forget all turns, and the time since the last one."""
        self.wall, self.processor = [], []
        self._last = (time.perf_counter(), time.thread_time())

    def _listen(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        self.wall.append(1e3 * (now[0] - self._last[0]) - BEAT_MS)
        self.processor.append(1e3 * (now[1] - self._last[1]))
        self._last = now

    def take(self) -> dict[str, Any]:
        """Return the figures since the last call, in milliseconds."""
        found: dict[str, Any] = {}
        if not self.wall:
            return found
        for name, values in (("wall_ms", self.wall), ("own_ms", self.processor)):
            figures = np.percentile(values, [50, 99, 99.9, 100])
            names = ("p50", "p99", "p99.9", "most")
            found[name] = {n: round(float(v), 1) for n, v in zip(names, figures, strict=True)}
            found[name]["over_goal"] = int(sum(one > GOAL_MS for one in values))
        found["turns"] = len(self.wall)
        self.wall, self.processor = [], []
        return found


def turn(seconds: float) -> None:
    """Let the event loop run."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


def until(done: Callable[[], bool]) -> float:
    """Let the event loop run until something holds; return the seconds."""
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > _PATIENCE_S:
            raise TimeoutError("The boards did not arrive.")
        turn(0.2)
    return time.monotonic() - began


def acts(view: FleetBoardsView) -> Iterator[Callable[[], object]]:
    """Yield what a user does, again and again."""
    bar = view.table.verticalScrollBar()
    lines = ("", "site=north", "state:good", "cam-99", "site=north state:good")
    found: list[Callable[[], object]] = [
        lambda line=line: view.filter.setText(line)
        for line in lines  # type: ignore[misc]
    ]
    for by in ("site", "model", "state", "release"):
        found.append(lambda by=by: view.by.setCurrentText(by))  # type: ignore[misc]
        found.append(lambda: bar.setValue(bar.maximum() // 2))
        found.append(lambda: view.table.selectRow(view.boards.rowCount() // 3))
    found.append(lambda: bar.setValue(0))
    yield from cycle(found)


def measured(view: FleetBoardsView, seconds: float, turns: Turns) -> dict[str, Any]:
    """Return the figures of a time in which a user works."""
    memory = []
    turns.take()
    end, actions = time.monotonic() + seconds, acts(view)
    while time.monotonic() < end:
        next(actions)()
        turn(_ACT_S)
        memory.append(round(memory_mb(), 1))
    return {**turns.take(), "memory_mb": {"first": memory[0], "last": memory[-1]}}


def direct(view: FleetBoardsView, boards: int) -> Callable[[], object]:
    """Give all boards to the view once; return the call that sends a second's share of them."""
    from PySide6.QtCore import QTimer

    from studio.monitoring.boards.changes import pieces
    from studio.monitoring.boards.fleet_state import FleetState
    from studio.workspace.boards.snapshots import BoardsFeed

    fleet, chance = FleetState(), random.Random(4)
    for number in range(boards):
        board = SimulatedBoard(f"cam-{number}", chance)
        board.work(chance.randrange(1000) + 3, chance.randrange(3))
        fleet.take([sent(board.beat())])
    texts = [list(pieces(fleet, fleet.table.names[at::60])) for at in range(60)]
    view.feed = BoardsFeed(view.arrived.emit)
    for several in texts:
        for rows in several:
            view.feed.take({"rows": rows})
    order = cycle(texts)
    timer = QTimer(view, interval=1000)
    timer.timeout.connect(
        lambda: [view.feed.take({"rows": rows}) for rows in next(order)] if view.feed else None
    )
    timer.start()
    return timer.stop


def campaign(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Open the window, let the boards come, and measure."""
    from studio.gui import session_state
    from studio.gui.app import SWITCH_S, attach, make_application, make_window
    from studio.settings import Paths
    from studio.workspace import Workspace

    sys.setswitchinterval(SWITCH_S)  # as app.run does it
    application = make_application()
    window = make_window(Paths.of(home=folder / "home"))
    window.resize(1280, 800)
    window.show()
    workspace = Workspace.open(folder / "home")
    attach(window, workspace)
    turn(2.0)
    window.go("fleet")
    turn(8.0)  # the other pages are made in the meantime
    view: FleetBoardsView = window.page().boards  # type: ignore[union-attr]
    server, load = None, None
    turns = Turns()
    before = memory_mb()
    try:
        if options.direct:
            view.stack.setCurrentIndex(0)  # no broker is stored, and the tables are to be painted
            direct(view, options.boards)
            turns.restart()  # the boards were made in this process
        else:
            server = NatsServer(folder / "nats")
            server.start()
            address = f"nats://127.0.0.1:{server.port}"
            broker = {"source": address, "topic": "edgewright/state"}
            subprocess.run(_created(address), check=True, stdout=subprocess.DEVNULL, timeout=120)
            load = subprocess.Popen(_load(server.port, options), stdin=subprocess.PIPE,
                                    stdout=subprocess.DEVNULL)  # fmt: skip
            session_state.store(workspace.settings, fleet_broker=broker)
            view.restart()
            turns.restart()  # the stream was created in the meantime
        arrived = until(lambda: view.boards.rowCount() >= options.boards)
        first = turns.take()
        steady = measured(view, options.seconds, turns)
        return {
            "boards": view.boards.rowCount(),
            "fault": view.fault.text(),
            "arrived_s": round(arrived, 1),
            "arriving": first,
            "steady": steady,
            "last_arrival": view.arrival.text(),
            "memory_before_mb": round(before, 1),
        }
    finally:
        if load is not None:
            load.kill()
            load.wait()
        view.close_feed()
        turn(0.5)
        window.close()
        workspace.close()
        if server is not None:
            server.stop()
        application.quit()


def _created(address: str) -> list[str]:
    """Return the command that creates the stream, as a user does it once."""
    words = ["fleet", "status", "--source", address, "--create", "--seconds", "1"]
    return [sys.executable, "-m", "studio.cli.main", *words]


def _load(port: int, options: argparse.Namespace) -> list[str]:
    words = ["--load", f"--port={port}", f"--boards={options.boards}", f"--period={options.period}"]
    return [sys.executable, "-m", "tests.benchmarks.bench_fleet_state", *words]


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=10_000)
    parser.add_argument("--period", type=float, default=60.0, help="seconds between heartbeats")
    parser.add_argument("--seconds", type=float, default=180.0, help="of the steady part")
    parser.add_argument("--direct", action="store_true", help="without a broker")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory(prefix="edgewright-fleet-") as folder:
        os.environ["EDGEWRIGHT_HOME"] = f"{folder}/home"
        print(json.dumps(campaign(options, Path(folder)), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
