"""Heartbeats of 10,000 boards through a real nats-server: lag until merged, memory, lost counts.

Prints one JSON document. The boards are simulated in a process of their own, each with a real
connection of the board's client. After the steady minutes the server is killed again and again.
At the end the counts at the studio must be those that the boards have counted.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from studio.api import BrokerLogin, Silent, StateFeed
from studio.monitoring.boards.fleet_state import FleetState
from studio.monitoring.boards.table import BoardFilter
from studio.runtime.fleet.link import BrokerLink, open_link
from studio.runtime.fleet.settings import settings_of
from tests.rigs.nats_server import NatsServer
from tests.unit.monitoring.boards.boards import SimulatedBoard

_THREADS = 8
_PATIENCE_S = 240.0


def memory_mb(pid: int | str = "self") -> float:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Load:
    """Boards that work and publish, each once a period."""

    def __init__(self, port: int, count: int, period_s: float) -> None:
        self._port, self._period_s = port, period_s
        chance = random.Random(11)
        self._boards = [SimulatedBoard(f"cam-{number}", chance) for number in range(count)]
        self._links: dict[str, BrokerLink] = {}
        self._due = [(chance.uniform(0, period_s), number) for number in range(count)]
        heapq.heapify(self._due)
        self._lock, self._ends = threading.Lock(), threading.Event()
        self.sent = self.failed = self.late = 0

    def run(self, until: Callable[[], None]) -> dict[str, Any]:
        """Publish until a call returns, then once more; return the truth."""
        self._began = time.monotonic()
        threads = [threading.Thread(target=self._work, args=(n,)) for n in range(_THREADS)]
        for one in threads:
            one.start()
        until()
        self._ends.set()
        for one in threads:
            one.join()
        left = list(self._boards)
        end = time.monotonic() + _PATIENCE_S
        while left and time.monotonic() < end:
            left = [one for one in left if not self._publish(one)]
        counts = {one.name: [one.requests, one.errors, 0] for one in self._boards}
        return {"sent": self.sent, "failed": self.failed, "late": self.late, "counts": counts}

    def _work(self, number: int) -> None:
        chance = random.Random(number)
        while not self._ends.is_set():
            with self._lock:
                due, place = heapq.heappop(self._due)
                heapq.heappush(self._due, (due + self._period_s, place))
            wait = self._began + due - time.monotonic()
            if wait < -1.0:
                self.late += 1
            if wait > 0 and self._ends.wait(wait):
                return
            board = self._boards[place]
            board.work(chance.randrange(1000) + 3, chance.randrange(3))
            if chance.random() < 0.01:
                board.reboot()
            self._publish(board)

    def _publish(self, board: SimulatedBoard) -> bool:
        found = board.beat()
        board.messages.clear()
        found["at"] = time.time()
        try:
            link = self._links.get(board.name)
            if link is None:
                url = f"nats://127.0.0.1:{self._port}"
                link = open_link(settings_of({"url": url, "board": board.name}), 5.0)
                self._links[board.name] = link
            link.publish(json.dumps(found).encode(), f"{found['boot']}-{found['seq']}")
        except OSError:
            self.failed += 1
            link = self._links.pop(board.name, None)
            if link is not None:
                link.close()
            return False
        self.sent += 1
        return True


class Merging:
    """The studio's side, with what it measures."""

    def __init__(self, port: int, file: Path) -> None:
        self._port = port
        self.fleet = FleetState(file)
        self.feed = self._open()
        self.lags: list[float] = []
        self.questions_ms: list[float] = []
        self.saves_ms: list[float] = []
        self._saved = time.monotonic()

    def _open(self) -> StateFeed:
        from studio_nats.source import NatsSource

        address = f"nats://127.0.0.1:{self._port}"
        feed: StateFeed = NatsSource().open(
            address, "edgewright/state", BrokerLogin(), Silent(), create=True
        )
        return feed

    def read(self, seconds: float) -> None:
        """Merge what comes for a time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            messages = self.feed.read(0.25)
            came = time.monotonic()
            self.fleet.take(messages)
            took = time.monotonic() - came
            self.lags += [one.age_s + took for one in messages]
            if time.monotonic() - self._saved > 1.0:
                self._saved = time.monotonic()
                self.fleet.save()
                self.saves_ms.append(1000 * (time.monotonic() - self._saved))

    def ask(self) -> None:
        """Ask as a window would: a filter, groups, a page of boards."""
        began, now = time.monotonic(), time.time()
        mask = self.fleet.table.select(BoardFilter({"site": "north"}), now)
        self.fleet.table.groups("release", mask, now)
        self.fleet.table.boards(mask, most=100)
        self.questions_ms.append(1000 * (time.monotonic() - began))


def percentiles(values: list[float]) -> dict[str, float]:
    """Return the median, the 95th percentile and the largest of values."""
    if not values:
        return {}
    found = np.percentile(values, [50, 95, 100])
    return {name: round(float(v), 4) for name, v in zip(("p50", "p95", "most"), found, strict=True)}


def campaign(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run the steady minutes, the kills and the comparison."""
    server = NatsServer(folder / "nats")
    server.start()
    merging = Merging(server.port, folder / "fleet.sqlite")
    command = [sys.executable, "-m", "tests.benchmarks.bench_fleet_state", "--load"]
    command += [f"--port={server.port}", f"--boards={options.boards}", f"--period={options.period}"]
    load = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        merging.read(options.period)  # all boards are heard once, and connected
        figures = steady(merging, server, options.seconds)
        killed(merging, server, options.kills)
        truth = finished(merging, load)
        return {**figures, "kills": options.kills, **compared(merging, truth)}
    finally:
        load.kill()
        load.wait()
        merging.feed.close()
        merging.fleet.close()
        server.stop()


def steady(merging: Merging, server: NatsServer, seconds: float) -> dict[str, Any]:
    """Merge for a time, and measure."""
    assert server.process is not None
    merging.lags.clear()
    memory = []
    began, before = time.monotonic(), merging.fleet.messages
    while (spent := time.monotonic() - began) < seconds:
        merging.read(5.0)
        merging.ask()
        memory.append([round(memory_mb(), 1), round(memory_mb(server.process.pid), 1)])
    return {
        "messages_a_minute": round(60 * (merging.fleet.messages - before) / spent),
        "lag_s": percentiles(merging.lags),
        "question_ms": percentiles(merging.questions_ms),
        "save_ms": percentiles(merging.saves_ms),
        "memory_mb": {"first": memory[0], "last": memory[-1], "samples": len(memory)},
    }


def killed(merging: Merging, server: NatsServer, kills: int) -> None:
    """Kill the server again and again, and start it again."""
    chance = random.Random(5)
    for _ in range(kills):
        merging.read(chance.uniform(2.0, 8.0))
        server.kill()
        merging.read(chance.uniform(0.2, 1.0))
        server.start()


def finished(merging: Merging, load: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Let the boards end, and merge their last messages; return the truth."""
    assert load.stdin is not None
    assert load.stdout is not None
    load.stdin.close()
    lines: list[bytes] = []
    reader = threading.Thread(target=lambda out=load.stdout: lines.append(out.read()))
    reader.start()
    while reader.is_alive():
        merging.read(0.5)
    merging.read(3.0)
    truth: dict[str, Any] = json.loads(lines[0])
    return truth


def compared(merging: Merging, truth: dict[str, Any]) -> dict[str, Any]:
    """Compare the counts at the studio with those of the boards."""
    lost = doubled = unheard = 0
    requests = 0
    for name, (wanted, errors, _) in truth["counts"].items():
        requests += wanted
        try:
            found = merging.fleet.record(name).totals
        except KeyError:
            unheard += 1
            continue
        lost += max(0, wanted - found[0]) + max(0, errors - found[1])
        doubled += max(0, found[0] - wanted) + max(0, found[1] - errors)
    return {
        "boards": len(truth["counts"]),
        "requests": requests,
        "lost": lost,
        "doubled": doubled,
        "unheard": unheard,
        "sent": truth["sent"],
        "failed": truth["failed"],
        "late": truth["late"],
        "interruptions": merging.feed.interruptions,
        "refused": merging.fleet.refused,
        "memory_at_the_end_mb": round(memory_mb(), 1),
    }


def main() -> int:
    """Run the benchmark, or its load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, default=10_000)
    parser.add_argument("--period", type=float, default=60.0, help="seconds between heartbeats")
    parser.add_argument("--seconds", type=float, default=180.0, help="of the steady part")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        load = Load(options.port, options.boards, options.period)
        print(json.dumps(load.run(lambda: sys.stdin.read() and None)))
        return 0
    with tempfile.TemporaryDirectory(prefix="edgewright-fleet-") as folder:
        print(json.dumps(campaign(options, Path(folder)), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
