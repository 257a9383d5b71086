"""Threads that run inferences, behind a queue with an end."""

from __future__ import annotations

import asyncio
import contextlib
import math
import queue
import threading
import time
from collections import deque
from typing import Callable, Deque, List, Optional, Protocol, Set, Tuple

from ...backends.backend_model import RunOptions
from ...shared.threads import guarded_thread


class Work(Protocol):
    """Work to be run by a worker thread."""

    def run(self) -> None:
        """Run the work; ``finish`` is called whatever it raises."""

    def finish(self) -> None:
        """Deliver the result; called in the event loop's thread afterwards."""

    def cancel_if_abandoned(self) -> None:
        """End the run if no client waits; called regularly in the event loop's thread."""


_LOOK_EVERY_S = 0.2


class QueueFull(Exception):
    """Too much work is waiting: the request must be refused."""


class Executor:
    """Pool of worker threads, fed from the event loop.

    Its hand-over costs a third of ``run_in_executor``: no future for each piece of work, and one
    wake-up of the event loop for all that has finished in the meantime.

    Attributes:
        loop: The event loop that it is fed from.
        capacity: Pieces of work that may wait for a thread.
        waiting: Pieces of work handed over and not yet done.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, workers: int, capacity: int) -> None:
        self.loop = loop
        self.capacity = capacity
        self._wanted = workers
        self._threads: List[threading.Thread] = []
        self._queue: queue.SimpleQueue[Optional[Work]] = queue.SimpleQueue()
        self._finished: Deque[Callable[[], None]] = deque()
        self._running: Set[Work] = set()
        self._looks = False
        self.waiting = 0

    def resize(self, workers: int) -> None:
        """Use that many threads from now on; none is started before it is needed."""
        while len(self._threads) > workers:
            self._queue.put(None)  # whichever thread takes it ends
            self._threads.pop()
        self._wanted = workers

    def submit(self, work: Work) -> None:
        """Hand work over.

        Raises:
            QueueFull: when too much is waiting.
        """
        if self.waiting >= self.capacity + self._wanted:
            raise QueueFull
        self.waiting += 1
        if len(self._threads) < self._wanted and len(self._threads) < self.waiting:
            thread = guarded_thread("inference", self._work)
            self._threads.append(thread)
            thread.start()
        if not self._looks:
            self._looks = True
            self.loop.call_later(_LOOK_EVERY_S, self._poll)
        self._queue.put(work)

    @property
    def idle(self) -> int:
        """Threads that would start work at once."""
        return max(self._wanted - len(self._running), 0)

    def running(self) -> Tuple[Work, ...]:
        """Return the work that the threads run now."""
        return tuple(self._running)

    def close(self) -> None:
        """Let the threads end after what is queued."""
        self.resize(0)

    def _work(self) -> None:
        while True:
            work = self._queue.get()
            if work is None:
                return
            self._running.add(work)
            try:
                work.run()
            finally:
                self._running.discard(work)
                self._finished.append(work.finish)
                del work  # a waiting thread must not keep a replaced model alive
                with contextlib.suppress(RuntimeError):  # a closed event loop: no client waits
                    self.loop.call_soon_threadsafe(self._finish)

    def _poll(self) -> None:
        """Cancel running work for which no client waits any more."""
        for work in tuple(self._running):
            work.cancel_if_abandoned()
        self._looks = self.waiting > 0
        if self._looks:
            self.loop.call_later(_LOOK_EVERY_S, self._poll)

    def _finish(self) -> None:
        while self._finished:
            done = self._finished.popleft()
            self.waiting -= 1
            done()


_clock = time.monotonic
_MOST_LOOKS_S = 1.0


class InlineGuard:
    """Guard thread that limits the duration of a run in the event loop.

    A model is run inline because it was quick when it was measured. How long it takes may depend
    on the input, though (a loop, a search): while such a run lasts, no other client is answered
    and no deadline is kept, as the event loop is blocked. So another thread has to end it. After
    one long run the model is no longer run inline.
    """

    def __init__(self, limit_s: float) -> None:
        """Begin with nothing under way.

        Args:
            limit_s: Seconds that a run may take; infinite for no limit.
        """
        self._limit_s = limit_s
        self._began = math.inf
        self._options: Optional[RunOptions] = None
        self._watching = math.isinf(limit_s)

    def begin(self, make_options: Callable[[], RunOptions]) -> RunOptions:
        """Start the watch over a run; return the options of onnxruntime that it must use."""
        if not self._watching:
            self._watching = True
            guarded_thread("inline guard", self._watch).start()
        options = self._options
        if options is None:
            self._options = options = make_options()
        self._began = _clock()
        return options

    def end(self, now: Optional[float] = None) -> None:
        """End the watch over a run.

        New options are made only after a run that may just be terminated: making them takes as long
        as several operators of a small model.

        Args:
            now: The monotonic clock, if the caller has just read it.
        """
        if (now or _clock()) - self._began > self._limit_s / 2:
            self._options = None
        self._began = math.inf

    def _watch(self) -> None:
        while True:
            time.sleep(min(_MOST_LOOKS_S, self._limit_s / 4))
            # If this run ends just now, no other is hit: the options of a long run are not reused.
            options = self._options
            if options is not None and _clock() - self._began > self._limit_s:
                options.terminate = True
