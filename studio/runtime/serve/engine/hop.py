"""A way from the threads of loops to the event loop: one wake-up for all that has come."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Callable, Deque

Action = Callable[[], None]


class Hop:
    """Runs actions in the event loop's thread, in the order in which they were posted."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._posted: Deque[Action] = deque()
        self._due = False

    def post(self, action: Action) -> None:
        """Queue an action; called from any thread."""
        self._posted.append(action)
        if self._due:  # what is posted before the flag falls is still run
            return
        self._due = True
        try:
            self._loop.call_soon_threadsafe(self._run)
        except RuntimeError:  # the event loop is closed: no client waits
            self._posted.clear()

    def _run(self) -> None:
        self._due = False
        while self._posted:
            self._posted.popleft()()
