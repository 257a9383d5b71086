"""The other clients of a soak: they stall, vanish, break off or talk nonsense."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from tests.benchmarks.serve.patrons import PATIENCE_S, Address, Link, Tally


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
                    tally.bad(f"{kind.__name__}: {status}", status, link)
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
