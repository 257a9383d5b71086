"""One budget of memory for the large bodies of all connections together."""

from __future__ import annotations

from typing import Dict, Optional, Protocol, Tuple

from .message import HttpError

MARGIN = 16 * 1024 * 1024
"""Bytes beside the budget that bodies of more than half of that do not get."""
MOST_WAITING = 128
"""Bodies that wait for their turn; each has the beginning that came with its head."""
_WINDOW_S = 2.5
"""Over which the speed of a body counts that others wait for."""
_PRESSED_RATE = 64 * 1024.0
"""Bytes a second below which a body gives way to those that wait."""
_FULL = "The server receives too many large requests."


class Receiver(Protocol):
    """A connection that receives a large body."""

    def granted(self) -> None:
        """Receive it: there is room now."""

    def give_way(self) -> None:
        """Receive no more of it: it is too slow, and others wait. It releases its bytes."""

    def received(self, now: float) -> Optional[int]:
        """Bytes that have come; None when the body is complete."""


class BodyBudget:
    """Bytes that bodies may take, from the moment they are received until they are answered.

    A body gets its room as a whole before it is received, so two bodies never wait for each
    other. Who waits is not read from, which stops the client; the smallest is served first.
    While a receiver waits, bodies that make no progress give way.

    Attributes:
        limit: Bytes of all bodies, without the margin.
        held: Bytes that are taken.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._holders: Dict[Receiver, int] = {}
        self._waiting: Dict[Receiver, int] = {}
        self._seen: Dict[Receiver, Tuple[float, int]] = {}

    def acquire(self, receiver: Receiver, size: int) -> bool:
        """Reserve room for a body; return False if its receiver must wait until ``granted``.

        Raises:
            HttpError: 503, when too many wait already.
        """
        if self.has_room(size):
            self._reserve(receiver, size)
            return True
        if len(self._waiting) >= MOST_WAITING:
            raise no_room()
        self._waiting[receiver] = size
        return False

    def has_room(self, size: int) -> bool:
        """Return whether a body may be received now: it fits, and none that is smaller waits."""
        return self._fits(size) and not any(size >= other for other in self._waiting.values())

    def shrink(self, receiver: Receiver, size: int) -> None:
        """Reduce the room of a body to its actual size."""
        if receiver in self._holders:
            self.held -= self._holders[receiver] - size
            self._holders[receiver] = size
            self._serve()

    def release(self, receiver: Receiver) -> None:
        """Free what a receiver holds, or no longer waits for."""
        self._waiting.pop(receiver, None)
        self._seen.pop(receiver, None)
        self.held -= self._holders.pop(receiver, 0)
        self._serve()

    def press(self, now: float) -> None:
        """Free the room of slow bodies while a receiver waits; call it about once a second."""
        if not self._waiting:
            self._seen.clear()
            return
        # A list first: giving way removes holders during the loop.
        for slow in [one for one in self._holders if self._is_slow(one, now)]:
            if not self._waiting:
                return
            slow.give_way()
            self.release(slow)

    def _is_slow(self, receiver: Receiver, now: float) -> bool:
        """Return whether a body made little progress in the last seconds, despite a fast start."""
        count = receiver.received(now)
        if count is None:
            return False
        since, before = self._seen.setdefault(receiver, (now, count))
        if now - since < _WINDOW_S:
            return False
        self._seen[receiver] = (now, count)
        return count - before < _PRESSED_RATE * (now - since)

    def _fits(self, size: int) -> bool:
        most = self.limit if size > MARGIN // 2 else self.limit + MARGIN
        return self.held + size <= most

    def _reserve(self, receiver: Receiver, size: int) -> None:
        self._holders[receiver] = size
        self.held += size

    def _serve(self) -> None:
        while self._waiting:
            # If the smallest does not fit, no other does.
            receiver = min(self._waiting, key=self._waiting.__getitem__)
            size = self._waiting[receiver]
            if not self._fits(size):
                return
            del self._waiting[receiver]
            self._reserve(receiver, size)
            receiver.granted()


def no_room() -> HttpError:
    """Return the error for a body that would have to wait too long."""
    return HttpError(503, _FULL, headers="Retry-After: 1\r\n", close=True)
