"""A served model at four fifths of its capacity, with clients that come, go, stall and vanish.

Prints one JSON document; ends with 1 when a well-behaved client was not answered, when the server
keeps connections of clients that have gone, or when its memory has surely grown by more than the
bound. Runs the server on one core and the clients on another.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.serve import models, peers
from tests.benchmarks.serve.patrons import VISITS, Address, Patrons, Tally, visits
from tests.benchmarks.serve.processes import ROOT, Server, Told, tree, wait_for

SHARE = 0.8
CAPACITY_CLIENTS = 8
WINDOWS = 10
HOUR_S = 3600.0


class Meter:
    """Memory and open files of a server over time.

    Attributes:
        samples: Seconds since the start, bytes, open files.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.samples: list[tuple[float, float, int]] = []

    def files(self) -> int:
        """Open files of all its processes."""
        count = 0
        for pid in tree(self._server.pid):
            with contextlib.suppress(OSError):
                count += len(os.listdir(f"/proc/{pid}/fd"))
        return count

    async def run(self, start: float, end: float) -> None:
        """Look until the end."""
        every = min(10.0, max(0.25, (end - start) / 240))
        while (now := time.perf_counter()) < end:
            self.samples.append((now - start, self._server.memory() * 1e6, self.files()))
            await asyncio.sleep(every)


def slope(times: Sequence[float], values: Sequence[float]) -> tuple[float, float, float]:
    """Least-squares slope a second, and its 95 % interval.

    The interval is a moving-block bootstrap of the residuals: neighbouring samples of a process's
    memory are alike, and a plain interval would be far too narrow.
    """
    x, y = np.asarray(times), np.asarray(values)
    x = x - x.mean()
    weights = x / (x @ x)
    found = float(weights @ y)
    rest = y - y.mean() - found * x
    block = max(1, len(x) // 8)
    generator = np.random.default_rng(0)
    starts = generator.integers(0, len(x) - block + 1, (1000, -(-len(x) // block)))
    drawn = (starts[:, :, None] + np.arange(block)).reshape(len(starts), -1)[:, : len(x)]
    low, high = np.percentile(found + rest[drawn] @ weights, [2.5, 97.5])
    return found, float(low), float(high)


async def soak(server: Server, address: Address, rate: float, seconds: float) -> dict[str, Any]:
    """All clients at once; what they and the meter have seen."""
    tally, meter = Tally(), Meter(server)
    before = meter.files()
    end = tally.start + seconds
    async with asyncio.TaskGroup() as group:
        group.create_task(Patrons(address, rate, tally).run(end))
        group.create_task(meter.run(tally.start, end))
        for kind in VISITS:
            group.create_task(visits(kind, address, tally, end))
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: meter.files() <= before, "the connections are closed", 20.0)
    return {
        "seconds": seconds,
        "requests": len(tally.answers) + sum(tally.failures.values()),
        "failed": sum(tally.failures.values()),
        "failures": dict(tally.failures),
        "not_sent": tally.not_sent,
        "visits": dict(tally.visits),
        "told": dict(tally.told),
        "latency_ms": over_time(tally.answers, seconds),
        "memory": memory(meter, seconds),
        "files": {
            "before": before,
            "most": max(sample[2] for sample in meter.samples),
            "after": meter.files(),
        },
    }


def over_time(answers: Sequence[tuple[float, float]], seconds: float) -> list[dict[str, float]]:
    """Percentiles in each tenth of the time."""
    times, latencies = np.array(answers).reshape(-1, 2).T
    windows = np.minimum(times / (seconds / WINDOWS), WINDOWS - 1).astype(int)
    found = []
    for number in range(WINDOWS):
        own = latencies[windows == number] * 1e3
        p50, p99 = np.percentile(own, [50, 99]) if len(own) else (0.0, 0.0)
        found.append({"answers": len(own), "p50": round(p50, 3), "p99": round(p99, 3)})
    return found


def memory(meter: Meter, seconds: float) -> dict[str, float]:
    """The slope after a fifth of the time, in which buffers and caches find their size."""
    settled = [sample for sample in meter.samples if sample[0] > seconds / 5]
    found, low, high = slope([one[0] for one in settled], [one[1] for one in settled])
    measured = settled[-1][0] - settled[0][0]
    return {
        "first_mb": round(settled[0][1] / 1e6, 2),
        "last_mb": round(settled[-1][1] / 1e6, 2),
        "samples": len(settled),
        "slope_bytes_per_hour": round(found * HOUR_S),
        "low": round(low * HOUR_S),
        "high": round(high * HOUR_S),
        "sure_growth_mb": round(max(0.0, low) * measured / 1e6, 3),
    }


def main() -> int:
    """Serve, measure the capacity, soak, judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=HOUR_S)
    parser.add_argument("--model", default="network", choices=["network", "perceptron"])
    parser.add_argument("--seed", type=int, default=0, help="of the clients' behaviour")
    parser.add_argument(
        "--growth-mb", type=float, default=4.0,
        help="the memory may surely have grown by so much, from the first fifth to the end",
    )  # fmt: skip
    given = parser.parse_args()
    random.seed(given.seed)
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        document = run(given, Path(name), cores[-1], cores[0])
    document["passed"] = not document["faults"]
    print(json.dumps(document, indent=1))
    return 0 if document["passed"] else 1


def run(given: argparse.Namespace, folder: Path, core: int, load_core: int) -> dict[str, Any]:
    """One soak of a server that is started for it."""
    subject = getattr(models, given.model)(folder)
    root = peers.root_of(subject, folder / "root")
    port = peers.free_port()
    command = [sys.executable, "-m", "studio.runtime", "serve", f"--root={root}", f"--port={port}"]
    server = Server(command, core, folder, {"PYTHONPATH": str(ROOT)})
    try:
        ready = f"the server is ready (see {server.log})"
        wait_for(lambda: server.ended or _listens(port), ready)
        if server.ended:
            raise RuntimeError(server.log.read_text()[-2000:])
        address = Address(port, peers.open_inference_request(subject, port, subject.name))
        able = capacity(address, folder, load_core, min(10.0, max(2.0, given.seconds / 10)))
        os.sched_setaffinity(0, {load_core})
        found = asyncio.run(soak(server, address, SHARE * able, given.seconds))
        found["server_ended"] = server.ended
    finally:
        server.close()
    head = {"name": "soak", "model": subject.name, "load": os.getloadavg()[0]}
    told = {"capacity_per_s": round(able, 1), "rate_per_s": round(SHARE * able, 1)}
    return {**head, **told, **found, "faults": faults(found, given.growth_mb)}


def capacity(address: Address, folder: Path, core: int, seconds: float) -> float:
    """Answers a second to clients that never pause."""
    request = folder / "request"
    request.write_bytes(address.request)
    load = Told("load", core)
    try:
        order = {"port": address.port, "request": str(request), "clients": CAPACITY_CLIENTS}
        load.ask(**order, seconds=1.0)
        return float(load.ask(**order, seconds=seconds)["answers"] / seconds)
    finally:
        load.close()


def faults(found: dict[str, Any], growth_mb: float) -> list[str]:
    """What must not have been, in sentences."""
    said = []
    if found["server_ended"]:
        said.append("The server has ended.")
    if found["failed"]:
        said.append(f"{found['failed']} requests failed for no fault of their clients.")
    if found["files"]["after"] > found["files"]["before"]:
        said.append("Connections of clients that have gone are still open.")
    if found["memory"]["sure_growth_mb"] > growth_mb:
        said.append(f"The memory has grown by more than {growth_mb:g} MB.")
    return said


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())
