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
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.serve import models, peers
from tests.benchmarks.serve.processes import ROOT, Server, Told, tree, wait_for

SHARE = 0.8
CAPACITY_CLIENTS = 8
MOST_WAITING = 32
"""Requests of well-behaved clients under way at once; fewer than the server lets wait."""
PATIENCE_S = 30.0
WINDOWS = 10
HOUR_S = 3600.0
_RESETS = struct.pack("ii", 1, 0)  # SO_LINGER: closing drops what is unread, as a crash does


class Address(NamedTuple):
    """The server and the bytes of one whole good request to it."""

    port: int
    request: bytes


@dataclass
class Tally:
    """What the clients have seen.

    Attributes:
        answers: Time since the start and latency of every good answer, both in seconds.
        failures: What well-behaved clients were told instead of 200, and how often.
        visits: Clients of each kind.
        told: Statuses that clients of other kinds were given.
    """

    start: float = field(default_factory=time.perf_counter)
    answers: list[tuple[float, float]] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    not_sent: int = 0

    def good(self, due: float) -> None:
        """An answer to a request that was due at a time."""
        now = time.perf_counter()
        self.answers.append((now - self.start, now - due))


class Link:
    """A connection of one client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.left = random.randint(1, 200)

    @classmethod
    async def to(cls, port: int) -> Link:
        """Connect."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, data: bytes) -> None:
        """Send without waiting."""
        self._writer.write(data)

    async def status(self) -> int:
        """The status of the next answer, which is read to its end.

        Raises:
            asyncio.IncompleteReadError: when the server closes the connection instead.
        """
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").lower().split("\r\n")
        length = next(
            int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")
        )
        await self._reader.readexactly(length)
        return int(lines[0].split()[1])

    def close(self, *, reset: bool = False) -> None:
        """Leave, politely or not."""
        if reset:
            own = self._writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
            self._writer.transport.abort()
        else:
            self._writer.close()


class Patrons:
    """Well-behaved clients: requests at a rate, over connections that come and go."""

    def __init__(self, address: Address, rate: float, tally: Tally) -> None:
        self._address, self._rate, self._tally = address, rate, tally
        self._idle: list[Link] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, end: float) -> None:
        """Ask until the end, at times that do not depend on the answers."""
        due = time.perf_counter()
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if len(self._tasks) < MOST_WAITING:
                task = asyncio.create_task(self._ask(due))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._tally.not_sent += 1
            due += random.expovariate(self._rate)
        await asyncio.gather(*self._tasks)
        for link in self._idle:
            link.close()

    async def _ask(self, due: float) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                link = self._idle.pop() if self._idle else await self._arrive()
                link.send(self._address.request)
                status = await link.status()
        except (OSError, EOFError, TimeoutError) as error:
            self._tally.failures[type(error).__name__] += 1
            return
        if status == 200:
            self._tally.good(due)
        else:
            self._tally.failures[str(status)] += 1
        link.left -= 1
        if link.left > 0:
            self._idle.append(link)
        else:
            link.close(reset=random.random() < 0.2)

    async def _arrive(self) -> Link:
        self._tally.visits["patron"] += 1
        return await Link.to(self._address.port)


async def stall_in_head(link: Link, address: Address) -> bool:
    """Begins a request, and is not heard of for a while."""
    link.send(address.request[: random.randint(1, 60)])
    await asyncio.sleep(random.uniform(1, 15))
    return False


async def stall_in_body(link: Link, address: Address) -> bool:
    """Sends a part of the body, and the rest much later."""
    half = len(address.request) // 2
    link.send(address.request[:half])
    await asyncio.sleep(random.uniform(1, 8))
    link.send(address.request[half:])
    return True


async def vanish(link: Link, address: Address) -> bool:
    """Asks, and is gone before the answer."""
    link.send(address.request)
    await asyncio.sleep(random.uniform(0, 0.005))
    return False


async def break_off(link: Link, address: Address) -> bool:
    """Is gone in the middle of its request."""
    link.send(address.request[: random.randint(1, len(address.request) - 1)])
    await asyncio.sleep(random.uniform(0, 0.02))
    return False


async def read_nothing(link: Link, address: Address) -> bool:
    """Asks several times and reads no answer."""
    link.send(address.request * 3)
    await asyncio.sleep(random.uniform(1, 5))
    return False


async def talk_nonsense(link: Link, address: Address) -> bool:
    """Sends what is no request."""
    link.send(b"\x16\x03\x01 nonsense\r\n\r\n")
    return True


Visit = Callable[[Link, Address], Awaitable[bool]]
VISITS: dict[Visit, float] = {
    stall_in_head: 1.0,
    stall_in_body: 0.5,
    vanish: 1.0,
    break_off: 1.0,
    read_nothing: 0.3,
    talk_nonsense: 0.5,
}
"""The other clients, each with how many of them come in a second."""


async def visit(kind: Visit, address: Address, tally: Tally) -> None:
    """One such client; only an error of the server's own (5xx) counts against the server."""
    tally.visits[kind.__name__] += 1
    link = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            link = await Link.to(address.port)
            if await kind(link, address):
                status = await link.status()
                tally.told[f"{kind.__name__}: {status}"] += 1
                if status >= 500:
                    tally.failures[f"{kind.__name__}: {status}"] += 1
    except (OSError, EOFError):
        tally.told[f"{kind.__name__}: closed"] += 1
    except TimeoutError:
        tally.failures[f"{kind.__name__}: never answered"] += 1
    finally:
        if link is not None:
            link.close(reset=random.random() < 0.5)


async def visits(kind: Visit, address: Address, tally: Tally, end: float) -> None:
    """Such clients until the end, at random times."""
    async with asyncio.TaskGroup() as group:
        while (pause := random.expovariate(VISITS[kind])) + time.perf_counter() < end:
            await asyncio.sleep(pause)
            group.create_task(visit(kind, address, tally))


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
