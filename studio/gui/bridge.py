"""The bridge from the threads of the workspace to the window's own."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

MOST_S = 0.01
"""Seconds of a turn in which another call is started; then the user's events come first."""


class Bridge(QObject):
    """Runs calls on the thread that it lives on, in the order of the requests.

    One queued signal carries all of them, so that no other object of the window needs to know of
    threads. Where many are waiting, they are divided over several turns of the event loop.
    """

    _asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._is_open = True
        self._calls: deque[Callable[[], None]] = deque()
        self._rest = QTimer(self, singleShot=True, interval=0)
        self._rest.timeout.connect(self._run)
        self._asked.connect(self._hear, Qt.ConnectionType.QueuedConnection)

    def deliver(self, call: Callable[[], None]) -> None:
        """Queue a call from any thread; a closed bridge drops it."""
        if self._is_open:
            self._calls.append(call)
            self._asked.emit()

    def close(self) -> None:
        """Drop the calls that have not run yet."""
        self._is_open = False
        self._calls.clear()

    @Slot()
    def _hear(self) -> None:
        if not self._rest.isActive():
            self._run()

    def _run(self) -> None:
        until = time.perf_counter() + MOST_S
        try:
            while self._calls:
                self._calls.popleft()()
                if time.perf_counter() >= until:
                    break
        finally:
            if self._calls:
                self._rest.start()
