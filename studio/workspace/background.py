"""One thread for reading that would make the window wait."""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from studio.models.collector import uncollected

log = logging.getLogger(__name__)

T = TypeVar("T")


class Background:
    """A thread that runs calls one after the other and delivers their results."""

    def __init__(self, deliver: Callable[[Callable[[], None]], None]) -> None:
        self._deliver = deliver
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._spare: deque[Callable[[], object]] = deque()
        self._thread: threading.Thread | None = None

    def run(self, call: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
        """Run ``call`` on the thread and ``done`` with its result, or with what it raised."""
        self._start()

        def work() -> None:
            try:
                with uncollected():
                    result: T | Exception = call()
            except Exception as error:
                log.warning("a call in the background failed", exc_info=True)
                result = error
            self._deliver(lambda: done(result))

        self._calls.put(work)

    def run_when_idle(self, calls: Iterable[Callable[[], object]]) -> None:
        """Run calls while there are no others; those that are left at the end are dropped."""
        self._spare.extend(calls)
        self._start()
        self._calls.put(lambda: None)

    def close(self) -> None:
        """Finish the queued calls, and end the thread."""
        if self._thread is not None:
            self._calls.put(None)
            self._thread.join(5.0)
            self._thread = None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="background", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while (work := self._next()) is not None:
            work()

    def _next(self) -> Callable[[], object] | None:
        try:
            return self._calls.get(block=not self._spare)
        except queue.Empty:
            return partial(self._attempt, self._spare.popleft())

    @staticmethod
    def _attempt(call: Callable[[], object]) -> None:
        try:
            with uncollected():
                call()
        except Exception:
            log.warning("a call in the background failed", exc_info=True)
