"""A served model at four fifths of its capacity, with clients that come, go, stall and vanish.

Prints one JSON document; ends with 1 when a well-behaved client was not answered, when the server
keeps connections of clients that have gone, or when its memory has surely grown by more than the
bound. Runs the server on one core and the clients on another. What others do on the machine changes
the capacity: it is measured again at times, and the rate follows it.
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
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.serve import models, peers
from tests.benchmarks.serve.meter import HOUR_S, Meter
from tests.benchmarks.serve.patrons import Address, Patrons, Tally
from tests.benchmarks.serve.processes import ROOT, Server, Told, wait_for
from tests.benchmarks.serve.visitors import VISITS, visits

SHARE = 0.8
CAPACITY_CLIENTS = 8
WINDOWS = 10
MEASURE_EVERY_S = 60.0
LOOK_EVERY_S = 1.0
MOST_REFUSED = 0.01
"""Of all requests: so many may be told to come later, when the capacity has just fallen."""


class Capacity:
    """Answers a second to clients that never pause, measured again and again.

    Attributes:
        found: Every measurement, in answers a second.
    """

    def __init__(self, address: Address, folder: Path, core: int) -> None:
        request = folder / "request"
        request.write_bytes(address.request)
        self._order = {"port": address.port, "request": str(request), "clients": CAPACITY_CLIENTS}
        self._load = Told("load", core)
        self.found: list[float] = []

    def measure(self, seconds: float) -> float:
        """Load the server for so long."""
        able = float(self._load.ask(**self._order, seconds=seconds)["answers"] / seconds)
        self.found.append(able)
        return able

    async def lead(self, patrons: Patrons, tally: Tally, every: float, end: float) -> None:
        """Let the rate of the patrons follow what is measured, and fall at once with it."""
        due = time.perf_counter() + every
        while (now := time.perf_counter()) < end - LOOK_EVERY_S:
            if due <= now < end - every / 2:
                async with patrons.resting():
                    able = await asyncio.to_thread(self.measure, min(2.0, every / 10))
                patrons.rate = SHARE * able
                due = time.perf_counter() + every
            answers, missed = len(tally.moments), tally.not_sent + tally.refused
            await asyncio.sleep(LOOK_EVERY_S)
            if tally.not_sent + tally.refused > missed:  # what was answered is all it can
                able = (len(tally.moments) - answers) / LOOK_EVERY_S
                patrons.rate = max(1.0, min(patrons.rate, SHARE * able))

    def close(self) -> None:
        """End the load."""
        self._load.close()


async def soak(
    server: Server, address: Address, capacity: Capacity, seconds: float
) -> dict[str, Any]:
    """All clients at once; what they and the meter have seen."""
    tally, meter = Tally(), Meter(server)
    patrons = Patrons(address, SHARE * capacity.found[-1], tally)
    before = meter.files()
    end = tally.start + seconds
    async with asyncio.TaskGroup() as group:
        group.create_task(patrons.run(end))
        group.create_task(capacity.lead(patrons, tally, min(MEASURE_EVERY_S, seconds / 5), end))
        group.create_task(meter.run(tally.start, end))
        for kind in VISITS:
            group.create_task(visits(kind, address, tally, end))
    with contextlib.suppress(TimeoutError):
        wait_for(lambda: meter.files() <= before, "the connections are closed", 20.0)
    return {
        "seconds": seconds,
        "requests": len(tally.moments) + tally.refused + sum(tally.failures.values()),
        "failed": sum(tally.failures.values()),
        "failures": dict(tally.failures),
        "refused": tally.refused,
        "not_sent": tally.not_sent,
        "visits": dict(tally.visits),
        "told": dict(tally.told),
        "latency_ms": over_time(tally, seconds),
        "memory": meter.memory(seconds),
        "files": {
            "before": before,
            "most": max(sample[2] for sample in meter.samples),
            "after": meter.files(),
        },
    }


def over_time(tally: Tally, seconds: float) -> list[dict[str, float]]:
    """Percentiles in each tenth of the time."""
    times, latencies = np.array(tally.moments), np.array(tally.latencies)
    windows = np.minimum(times / (seconds / WINDOWS), WINDOWS - 1).astype(int)
    found = []
    for number in range(WINDOWS):
        own = latencies[windows == number] * 1e3
        p50, p99 = np.percentile(own, [50, 99]) if len(own) else (0.0, 0.0)
        found.append({"answers": len(own), "p50": round(p50, 3), "p99": round(p99, 3)})
    return found


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
    with contextlib.ExitStack() as stack:
        stack.callback(server.close)
        ready = f"the server is ready (see {server.log})"
        wait_for(lambda: server.ended or _listens(port), ready)
        if server.ended:
            raise RuntimeError(server.log.read_text()[-2000:])
        address = Address(port, peers.open_inference_request(subject, port, subject.name))
        capacity = Capacity(address, folder, load_core)
        stack.callback(capacity.close)
        for seconds in (1.0, min(10.0, max(2.0, given.seconds / 10))):  # the first warms up
            capacity.measure(seconds)
        os.sched_setaffinity(0, {load_core})
        found = asyncio.run(soak(server, address, capacity, given.seconds))
        found["server_ended"] = server.ended
    head = {"name": "soak", "model": subject.name, "load": os.getloadavg()[0]}
    told = {"capacities_per_s": [round(one, 1) for one in capacity.found[1:]]}
    return {**head, **told, **found, "faults": faults(found, given.growth_mb)}


def faults(found: dict[str, Any], growth_mb: float) -> list[str]:
    """What must not have been, in sentences."""
    said = []
    if found["server_ended"]:
        said.append("The server has ended.")
    if found["failed"]:
        said.append(f"{found['failed']} requests failed for no fault of their clients.")
    if found["refused"] > MOST_REFUSED * found["requests"]:
        said.append(f"{found['refused']} requests were told to come later.")
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
