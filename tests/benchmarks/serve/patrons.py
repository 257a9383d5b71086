"""The well-behaved clients of a soak, and what all clients have seen."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import time
from array import array
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_WAITING = 32
"""Requests of well-behaved clients under way at once; fewer than the server lets wait."""
PATIENCE_S = 30.0
IDLE_S = 20.0
"""A connection that rested so long is not used again: the server may be about to close it."""
_RESETS = struct.pack("ii", 1, 0)  # SO_LINGER: closing drops what is unread, as a crash does


class Address(NamedTuple):
    """The server and the bytes of one whole good request to it."""

    port: int
    request: bytes


@dataclass
class Tally:
    """What the clients have seen.

    Attributes:
        moments: Times of the good answers, in seconds since the start.
        latencies: Of the same answers, in seconds.
        refused: Answers 503 with Retry-After: there was more to do than can be done.
        failures: What well-behaved clients were told instead of 200, and how often.
        visits: Clients of each kind.
        told: Statuses that clients of other kinds were given.
    """

    start: float = field(default_factory=time.perf_counter)
    moments: array[float] = field(default_factory=lambda: array("d"))
    latencies: array[float] = field(default_factory=lambda: array("d"))
    refused: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    not_sent: int = 0

    def good(self, due: float) -> None:
        """An answer to a request that was due at a time."""
        now = time.perf_counter()
        self.moments.append(now - self.start)
        self.latencies.append(now - due)

    def bad(self, what: str, status: int, link: Link) -> None:
        """Another answer to a request that was good."""
        if status == 503 and link.told_to_retry:
            self.refused += 1
        else:
            self.failures[what] += 1


class Link:
    """A connection of one client.

    Attributes:
        told_to_retry: The last answer had the header Retry-After.
        left: Requests until its client leaves.
        used: Time of its last answer.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.left = random.randint(1, 200)
        self.told_to_retry = False
        self.used = time.perf_counter()

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
        self.told_to_retry = any(line.startswith("retry-after:") for line in lines)
        await self._reader.readexactly(length)
        self.used = time.perf_counter()
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
    """Well-behaved clients: requests at a rate, over connections that come and go.

    Attributes:
        rate: Requests a second; may be changed at any time.
    """

    def __init__(self, address: Address, rate: float, tally: Tally) -> None:
        self._address, self.rate, self._tally = address, rate, tally
        self._at_work = asyncio.Event()
        self._at_work.set()
        self._idle: list[Link] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, end: float) -> None:
        """Ask until the end, at times that do not depend on the answers."""
        due = time.perf_counter()
        while due < end:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if not self._at_work.is_set():
                await self._at_work.wait()
                due = time.perf_counter()
            if len(self._tasks) < MOST_WAITING:
                task = asyncio.create_task(self._ask(due))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                self._tally.not_sent += 1
            due += random.expovariate(self.rate)
        await asyncio.gather(*self._tasks)
        for link in self._idle:
            link.close()

    @contextlib.asynccontextmanager
    async def resting(self) -> AsyncIterator[None]:
        """Nobody asks meanwhile."""
        self._at_work.clear()
        try:
            await asyncio.gather(*self._tasks)
            yield
        finally:
            self._at_work.set()

    async def _ask(self, due: float) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                link = self._rested() or await self._arrive()
                link.send(self._address.request)
                status = await link.status()
        except (OSError, EOFError, TimeoutError) as error:
            self._tally.failures[type(error).__name__] += 1
            return
        if status == 200:
            self._tally.good(due)
        else:
            self._tally.bad(str(status), status, link)
        link.left -= 1
        if link.left > 0:
            self._idle.append(link)
        else:
            link.close(reset=random.random() < 0.2)

    def _rested(self) -> Link | None:
        while self._idle:
            link = self._idle.pop()
            if time.perf_counter() - link.used < IDLE_S:
                return link
            link.close()
        return None

    async def _arrive(self) -> Link:
        self._tally.visits["patron"] += 1
        return await Link.to(self._address.port)
