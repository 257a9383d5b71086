"""The clients of a soak: patrons that behave, and those that stall, vanish or come and go."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_WAITING = 32
"""Requests of well-behaved clients under way at once; fewer than the server lets wait."""
PATIENCE_S = 30.0
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
