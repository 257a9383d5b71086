"""Turns in which results are recorded, whatever the order in which they come."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A row of turns, each ended by its owner."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: list[int] = []
        self._count = 0

    def next(self) -> Turn:
        """Return a turn behind all others."""
        with self._changed:
            self._count += 1
            self._open.append(self._count)
            return Turn(self, self._count)

    def wait(self, number: int) -> None:
        """Wait until all turns before it are over."""
        with self._changed:
            self._changed.wait_for(lambda: number not in self._open or self._open[0] == number)

    def end(self, number: int) -> None:
        """Count a turn as over."""
        with self._changed:
            if number in self._open:
                self._open.remove(number)
            self._changed.notify_all()


class Turn:
    """One turn of a row; it must be ended, whatever happens to its owner."""

    def __init__(self, turns: Turns, number: int) -> None:
        self._turns, self._number = turns, number

    @contextmanager
    def reached(self) -> Iterator[None]:
        """Wait for the turn, and end it afterwards."""
        self._turns.wait(self._number)
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        """End it, also where it has not come yet."""
        self._turns.end(self._number)
