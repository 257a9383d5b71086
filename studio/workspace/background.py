"""One thread for reading that would make the window wait."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from studio.models.collector import uncollected

log = logging.getLogger(__name__)

T = TypeVar("T")


class Background:
    """A thread that runs calls one after the other and delivers their results."""

    def __init__(self, deliver: Callable[[Callable[[], None]], None]) -> None:
        self._deliver = deliver
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, call: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
        """Run ``call`` on the thread and ``done`` with its result, or with what it raised."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="background", daemon=True)
            self._thread.start()

        def work() -> None:
            try:
                with uncollected():
                    result: T | Exception = call()
            except Exception as error:
                log.warning("a call in the background failed", exc_info=True)
                result = error
            self._deliver(lambda: done(result))

        self._calls.put(work)

    def close(self) -> None:
        """Finish the queued calls, and end the thread."""
        if self._thread is not None:
            self._calls.put(None)
            self._thread.join(5.0)
            self._thread = None

    def _work(self) -> None:
        while (work := self._calls.get()) is not None:
            work()
