"""Threads that deliver events from the outbox to sinks, each at its own pace."""

from __future__ import annotations

import logging
import random
import threading
from typing import Callable, Dict, List, Optional, Sequence

from ...shared.threads import guarded_thread
from ..graph import Sink
from ..items import Event
from ..parts import AppContext, Delivery, RefusedError
from .database import EVENTS_LOST, StoredEvent
from .outbox import Outbox

FOR_EVERY_SINK = frozenset(["source-lost", "source-back", "source-failed", EVENTS_LOST])
"""Kinds of events that concern the whole app, and that reach every sink."""

_BATCH = 100
_CARE_S = 1.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_JOIN_S = 5.0

_log = logging.getLogger(__name__)


class SinkWorker:
    """Delivery of events to one sink.

    A batch is delivered until its sink takes it. Pauses double up to 30 seconds and vary at
    random, so that boards do not all return at once. The cursor moves after a success alone: a
    receiver may see an event twice, with the same id, and misses none.

    Attributes:
        reason: Why the latest batch was not delivered, in one sentence; empty after a success.
    """

    def __init__(
        self,
        sink: Sink,
        delivery: Delivery,
        outbox: Outbox,
        pause: Optional[Callable[[float], object]] = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Prepare to deliver.

        Args:
            pause: Waits for some seconds; None: until the worker is stopped at most.
            chance: Random numbers from 0 to 1.
        """
        self.sink = sink
        self.reason = ""
        self.refusal = ""
        self._delivery = delivery
        self._outbox = outbox
        self._stop = threading.Event()
        self._pause = pause or self._stop.wait
        self._chance = chance
        self._failures = 0
        self._thread = guarded_thread("sink " + sink.name, self._work, self._note)

    def start(self) -> None:
        """Begin to deliver on a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Begin no further batch."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for the end of the batch at hand; a sink that hangs is abandoned."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def to_json(self) -> Dict[str, object]:
        """Return its state as plain data."""
        cursor = self._outbox.cursor(self.sink.name)
        return {
            "type": self.sink.type.name,
            "delivered": cursor.delivered,
            "refused": cursor.refused,
            "waiting": self._outbox.waiting(self.sink.name),
            "reason": self.reason or self.refusal,
        }

    def deliver_batch(self) -> bool:
        """Deliver the next events; return whether there were any.

        Raises:
            OSError: when they could not be delivered, in words for people.
        """
        batch = self._outbox.batch(self.sink.name, _BATCH)
        if not batch:
            return False
        self._deliver_events(batch)
        return True

    def _deliver_events(self, batch: Sequence[StoredEvent]) -> None:
        """Deliver events; where a receiver refuses several, each is sent alone."""
        events = self._chosen(batch)
        try:
            if events:
                self._delivery.deliver(events)
        except RefusedError as error:
            if len(events) == 1:
                self._refuse(batch, str(error))
                return
            for stored in batch:
                self._deliver_events([stored])
        else:
            self._outbox.advance(self.sink.name, batch[-1], len(events))

    def _chosen(self, batch: Sequence[StoredEvent]) -> List[Event]:
        inputs = self.sink.inputs
        events = (one.event for one in batch)
        return [one for one in events if one.step in inputs or one.kind in FOR_EVERY_SINK]

    def _refuse(self, batch: Sequence[StoredEvent], reason: str) -> None:
        self.refusal = reason
        _log.warning("sink %s: %s", self.sink.name, reason)
        chosen = {event.id for event in self._chosen(batch)}
        refused = [one for one in batch if one.event.id in chosen]
        self._outbox.refuse(self.sink.name, refused, reason)
        self._outbox.advance(self.sink.name, batch[-1])

    def _work(self) -> None:
        while not self._stop.is_set():
            if not self.turn():
                self._outbox.wait(self.sink.name, _CARE_S)
        self._close()

    def turn(self) -> bool:
        """Deliver once, and pause after a failure; return whether there may be more at once."""
        try:
            more = self.deliver_batch()
        except BaseException as error:  # a sink's own fault ends neither its thread nor the app
            self._failed(error)
            return True
        self._failures = 0
        self.reason = ""
        return more

    def _failed(self, error: BaseException) -> None:
        self._note(error)
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures, 10))
        self._failures += 1
        self._pause(longest * (0.5 + 0.5 * self._chance()))

    def _note(self, error: BaseException) -> None:
        text = str(error).strip().split("\n")[0][:200] or "no reason given"
        if not isinstance(error, OSError):
            text = "the sink fails: {}".format(text)
        if text != self.reason:
            _log.warning("sink %s: %s", self.sink.name, text, exc_info=error)
        self.reason = text

    def _close(self) -> None:
        try:
            self._delivery.close()
        except Exception as error:  # what it held is released with the process
            _log.warning("sink %s: closing failed: %s", self.sink.name, error)


class SinkWorkers:
    """Workers of all sinks of an app, with a thread that takes care of the outbox."""

    def __init__(self, sinks: Sequence[Sink], context: AppContext, outbox: Outbox) -> None:
        """Make the sinks; nothing is delivered before ``start``.

        Raises:
            AppError: for a sink that cannot be made.
        """
        self._outbox = outbox
        self._workers = [
            SinkWorker(one, one.type.make(one.name, one.settings, context), outbox) for one in sinks
        ]
        self._stop = threading.Event()
        self._thread = guarded_thread("outbox", self._care)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Finish the batches at hand and close the outbox; what is left waits for the next run."""
        self._stop.set()
        for worker in self._workers:
            worker.stop()
        self._outbox.wake()
        for worker in self._workers:
            worker.join(_JOIN_S)
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)
        self._outbox.close()

    def to_json(self) -> Dict[str, object]:
        """Return the state of each sink as plain data."""
        return {worker.sink.name: worker.to_json() for worker in self._workers}

    def _care(self) -> None:
        while not self._stop.wait(_CARE_S):
            try:
                self._outbox.care()
            except Exception:  # the thread must live: nothing else flushes commits
                _log.exception("the outbox could not be cared for")
