"""The engine of an app: frames of its sources through its graph, events to its store."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from ..shared.threads import guarded_thread
from .graph import AppGraph, AppSource
from .items import Event, FrameStamp
from .mailbox import Mailbox, ReadFrame, take_from
from .measures import Rate, StageTimes
from .parts import AppContext
from .reader import SourceReader
from .runner import FrameResult, GraphRunner
from .store import EventStore

_LOOK_S = 0.2
_STOP_S = 1.0

_log = logging.getLogger(__name__)

Watch = Callable[[Sequence[ReadFrame], Sequence[FrameResult]], None]


class AppEngine:
    """The engine of one app, from its start to its end.

    One thread reads each source, and one thread runs the graph: frames of several sources that
    are there at the same time go through it together, so that a model can take them as one batch.

    Attributes:
        latest: The latest result of each source, for previews.
        counts: Number of events by step and kind.
    """

    def __init__(
        self,
        graph: AppGraph,
        context: AppContext,
        store: EventStore,
        watch: Optional[Watch] = None,
    ) -> None:
        """Prepare all parts; nothing is read before ``start``.

        Args:
            watch: Called with the frames and results of each turn, as for a trial or a progress.

        Raises:
            AppError: for a part that cannot be made.
        """
        self.graph = graph
        self.latest: Dict[str, FrameResult] = {}
        self.counts: Counter[str] = Counter()
        self.rate = Rate()
        self.latency = StageTimes()
        self.watch = watch
        self.runner = GraphRunner(graph, context)
        self._context = context
        self._fresh: Optional[Tuple[GraphRunner, Watch]] = None
        self._store = store
        self._came = threading.Condition()
        self._told: List[Event] = []
        self._ended = threading.Event()
        self._over = threading.Event()
        self._began = time.monotonic()
        self.fault = ""
        wall = time.time()
        self.readers = [
            SourceReader(one, context, self._mailbox(one), self._tell, wall)
            for one in graph.sources
        ]
        self._boxes = [reader.mailbox for reader in self.readers]
        self._thread = guarded_thread("app", self._work, self._failed)

    def start(self) -> None:
        """Begin to read and to run."""
        self._began = time.monotonic()
        for reader in self.readers:
            reader.start()
        self._thread.start()

    def wait(self, seconds: Optional[float] = None) -> bool:
        """Wait for the end of all recordings; whether they have ended."""
        return self._over.wait(seconds)

    def stop(self) -> None:
        """Stop reading, finish the frame at hand, and end."""
        self._ended.set()
        for reader in self.readers:
            reader.stop()
        with self._came:
            self._came.notify_all()
        deadline = time.monotonic() + _STOP_S
        for reader in self.readers:
            reader.join(deadline)
        if self._thread.is_alive():
            self._thread.join(5.0)

    def begin_again(self, watch: Watch) -> None:
        """Start all steps without what they remember, and have each turn from then on watched."""
        fresh = GraphRunner(self.graph, self._context)
        with self._came:
            self._fresh = fresh, watch

    def status(self) -> Dict[str, object]:
        """Return its state as plain data."""
        return {
            "name": self.graph.document.name,
            "title": self.graph.document.title,
            "notice": self.graph.document.notice,
            "uptime_s": round(time.monotonic() - self._began, 1),
            "frames": self.latency.count,
            "failed": self.runner.failed,
            "fps": self.rate.value(),
            "latency_ms": self.latency.to_json(),
            "sources": {reader.source.name: reader.to_json() for reader in self.readers},
            "steps": self.runner.times(),
            "events": dict(self.counts),
            "fault": self._fault_of_store() or self.fault or self.runner.fault,
        }

    def _mailbox(self, source: AppSource) -> Mailbox:
        return Mailbox(source.is_live, self._came, source.type.room)

    def _fault_of_store(self) -> str:
        reason = self._store.fault
        return "Events cannot be stored: {}".format(reason) if reason else ""

    # On the thread of the graph

    def _work(self) -> None:
        while not self._ended.is_set():
            if not self._turn() and self._is_over():
                break
        self._finish()
        self._over.set()

    def _failed(self, error: BaseException) -> None:
        self.fault = "A turn of the app failed: {}".format(str(error)[:200])

    def _turn(self) -> bool:
        """Run the frames that wait; return whether there were any."""
        try:
            frames = self._next()
            if frames:
                self._run(frames)
            self._flush()
        except BaseException as error:  # one turn is lost, and the app lives
            _log.exception("a turn of the app failed")
            self._failed(error)
            return True
        return bool(frames)

    def _next(self) -> List[ReadFrame]:
        """Wait for frames, one of each source at most; none after a while without."""
        now = time.monotonic()
        for reader in self.readers:
            reader.look(now)
        with self._came:
            found = take_from(self._boxes)
            if not found and self._waits_for_more():
                self._came.wait(_LOOK_S)
                found = take_from(self._boxes)
        return found

    def _waits_for_more(self) -> bool:
        over = all(one.is_over for one in self.readers)
        return not (over or self._told or self._ended.is_set())

    def _run(self, frames: Sequence[ReadFrame]) -> None:
        if self._fresh is not None:
            (self.runner, self.watch), self._fresh = self._fresh, None
        results = self.runner.run(frames)
        events = [event for one in results for event in one.all_events]
        for one in results:
            self.latest[one.stamp.source] = one
        self._add(events)
        now, clock = time.perf_counter(), time.monotonic()
        for frame in frames:
            self.latency.add(now - frame.stamp.arrived)
            self.rate.add(clock)
        if self.watch is not None:
            self.watch(frames, results)

    def _is_over(self) -> bool:
        # The readers first: a reader leaves its last frame before it is over.
        if not all(one.is_over for one in self.readers):
            return False
        with self._came:
            return not self._told and not any(box.waits for box in self._boxes)

    def _finish(self) -> None:
        """Let the steps end what a recording has left open; a camera's is left as it is."""
        over = {one.source.name for one in self.readers if one.is_over}
        stamps = {name: one.stamp for name, one in self.latest.items() if name in over}
        self._flush()
        self._add(self.runner.finish(stamps))

    def record(self, event: Event) -> Event:
        """Store an event that comes from outside the graph, such as a person's; return it.

        Raises:
            OSError: when it is in memory alone for now.
        """
        stored = self._store.add([self._with_notice(event)])[-1]
        self.counts["{} {}".format(event.step, event.kind)] += 1
        return stored

    def _add(self, events: Sequence[Event]) -> None:
        if not events:
            return
        try:
            self._store.add([self._with_notice(event) for event in events])
        except OSError as error:  # the store keeps the reason, and stores them later
            _log.warning("events cannot be stored: %s", error)
        self.counts.update("{} {}".format(event.step, event.kind) for event in events)

    def _with_notice(self, event: Event) -> Event:
        notice = self.graph.document.notice
        return event._replace(details={**event.details, "notice": notice}) if notice else event

    # On the threads of the sources

    def _tell(self, kind: str, reader: SourceReader, details: Dict[str, object]) -> None:
        """Take an event of a source itself; the graph's thread stores it."""
        now = time.monotonic()
        stamp = FrameStamp(reader.source.name, reader.frames, now, time.time(), time.perf_counter())
        with self._came:
            self._told.append(Event(kind, reader.source.name, stamp, details))
            self._came.notify_all()

    def _flush(self) -> None:
        with self._came:
            told, self._told = self._told, []
        self._add(told)
