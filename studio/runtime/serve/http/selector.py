"""Selector for asyncio that hands events of plain clients straight to their connections.

asyncio makes two objects and a dozen calls of every event before a protocol receives it. Next to a
model, which evicts Python from the processor's caches, that is a fifth of the server's overhead of
an inference. Here it is one call, made inside ``select``. Other events (timers, threads, signals,
listeners, TLS, gRPC) are handled by asyncio as usual.
"""

from __future__ import annotations

import math
import os
import select
import selectors
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

READ: int = getattr(select, "EPOLLIN", 1)
WRITE: int = getattr(select, "EPOLLOUT", 4)

Callback = Callable[[int], bool]
"""Told what has happened to a descriptor, as epoll's mask. Returns whether that is all: nothing
was left for the event loop to do. Raises nothing."""

Turn = Callable[[], bool]
"""Called when all that has come by now was heard; returns as ``Callback`` does."""

_AT_ONCE = 256
"""Descriptors that one look tells of; the others are told of by the next."""
_clock = time.monotonic
_Base: Any = getattr(selectors, "EpollSelector", object)


class ConnectionSelector(_Base):  # type: ignore[misc]
    """Selector over epoll, with descriptors of its own next to asyncio's.

    Attributes:
        crowd: Descriptors with an event in the present poll.
        slow: A callback answers at once and takes long: the next poll serves those first that have
            waited longest. In epoll's own order a client that sends again at once would be served
            a second time before one that came after the last poll.
    """

    def __init__(self) -> None:
        super().__init__()
        # The same epoll under another number: what the base class holds is its own.
        self._epoll = select.epoll.fromfd(os.dup(self.fileno()))
        self._hears: Dict[int, Callback] = {}
        self._turns: List[Turn] = []
        self._heard: Dict[int, float] = {}
        self.crowd = 0
        self.slow = False

    def watch(self, number: int, mask: int, hear: Callback) -> None:
        """Tell ``hear`` of what happens to a descriptor."""
        self._epoll.register(number, mask)
        self._hears[number] = hear

    def change(self, number: int, mask: int) -> None:
        """Watch for something else."""
        self._epoll.modify(number, mask)

    def forget(self, number: int) -> None:
        """Watch it no more."""
        del self._hears[number]
        self._heard.pop(number, None)
        self._epoll.unregister(number)

    def soon(self, turn: Turn) -> None:
        """Call a function once, after all present events are handled."""
        self._turns.append(turn)

    def select(self, timeout: Optional[float] = None) -> List[Tuple[selectors.SelectorKey, int]]:
        """Wait and call the connections, until the event loop has work to do."""
        until = math.inf if timeout is None else _clock() + timeout
        pause = -1.0 if timeout is None else timeout
        hears = self._hears
        found: List[Tuple[selectors.SelectorKey, int]] = []
        while True:
            told = self._epoll.poll(0.0 if self._turns else pause, _AT_ONCE)
            self.crowd = len(told)
            if self.slow:
                self._put_in_order(told)
            all_done = True
            for number, mask in told:
                hear = hears.get(number)
                if hear is None:
                    self._add_event(number, mask, found)
                else:
                    all_done &= hear(mask)
            if self._turns:
                turns, self._turns = self._turns, []
                for turn in turns:
                    all_done &= turn()
            now = _clock()
            if found or not all_done or now >= until:
                return found
            pause = until - now if timeout is not None else -1.0

    def _put_in_order(self, told: List[Tuple[int, int]]) -> None:
        """Sort events by the last service of their connections, the longest ago first."""
        self.slow = False
        heard, now = self._heard, _clock()
        if len(told) > 1:
            told.sort(key=lambda one: heard.get(one[0], 0.0))
        for place, (number, _) in enumerate(told):
            if number in self._hears:
                heard[number] = now + place * 1e-9

    def _add_event(
        self, number: int, mask: int, found: List[Tuple[selectors.SelectorKey, int]]
    ) -> None:
        """Add an event of one of asyncio's own descriptors."""
        try:
            key = self.get_key(number)
        except KeyError:  # it was closed in between
            return
        events = 0
        if mask & ~READ:
            events |= selectors.EVENT_WRITE
        if mask & ~WRITE:
            events |= selectors.EVENT_READ
        found.append((key, events & key.events))

    def close(self) -> None:
        """Close the selector; nothing is watched any more."""
        self._epoll.close()
        super().close()


def connection_selector() -> Optional[ConnectionSelector]:
    """Return a selector, where the system has epoll."""
    return ConnectionSelector() if hasattr(selectors, "EpollSelector") else None
