"""Events of an app on the board's disk, kept until every sink has delivered them."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional, Sequence

from ..document import OutboxSettings
from ..items import Event
from .database import Cursor, EventDatabase, StoredEvent, checkpoint, lost_event, storable, sync_log

FILE = "outbox.sqlite"
DAMAGED = "outbox.damaged"

_MOST_IN_MEMORY = 1000
_RETRY_S = 0.5
_CHECKPOINT_S = 60.0
_LONGEST_LOG = 1 << 20
_DAY_S = 86400.0
_DEFAULTS = OutboxSettings()

_log = logging.getLogger(__name__)


class Outbox:
    """Store of events in a folder of the board.

    Each ``add`` is one commit, which outlives the death of the process. ``care`` flushes commits
    to the disk every second, and ``batch`` before an event leaves the board: a power cut loses the
    events of the last second at most, and none that a receiver has seen. An id is therefore never
    given to two events. Ids are ``<app>-<6 hex digits of the store>-<number>``.

    The store holds at most ``OutboxSettings.most`` events. Delivered ones make room first; a loss
    of others is itself an event of the kind ``events-lost``. With a disk that cannot be written,
    up to 1,000 events wait in memory, and a damaged file is renamed and replaced.

    Attributes:
        fault: Why events wait in memory, in one sentence; empty while they are stored.
    """

    def __init__(
        self,
        folder: str,
        app: str,
        settings: OutboxSettings = _DEFAULTS,
        sinks: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open the store; a fault is reported by ``fault``, not raised.

        Args:
            sinks: Names of the sinks of the app, each with a cursor of its own.
            clock: Seconds, for the time between two attempts.
        """
        self.fault = ""
        self.path = os.path.join(folder, FILE)
        self._app = app
        self._settings = settings
        self._sinks = tuple(sinks)
        self._clock = clock
        self._came = threading.Condition(threading.RLock())
        self._waiting: Deque[Event] = deque()
        self._lost = 0
        self._retry_at = float("-inf")
        self._database: Optional[EventDatabase] = None
        self._cursors: Dict[str, Cursor] = {}
        self._dirty = False
        self._synced = True
        self._syncing = threading.Lock()
        self._prefix = ""
        self._cared_at = clock()
        with self._came, contextlib.suppress(OSError), self._access():
            pass

    # For the engine

    def add(self, events: Sequence[Event]) -> List[Event]:
        """Store events in their order; return them with their ids.

        Raises:
            OSError: when they are in memory alone. They are stored, and get their ids, later.
        """
        ready = [storable(event) for event in events]
        with self._came:
            try:
                found = self._write(ready)
            except OSError:
                self._remember(ready)
                raise
            self._came.notify_all()
        return found[len(found) - len(ready) :]

    # For pages

    def newest(self, limit: int) -> List[Event]:
        """Return the newest events, the oldest of them first.

        Raises:
            OSError: when the store cannot be read.
        """
        with self._came, self._access() as database:
            return [one.event for one in database.newest(limit)]

    def after(self, event_id: str, limit: int) -> List[Event]:
        """Return the events that follow one, the oldest first; all for an id of another store.

        Raises:
            OSError: when the store cannot be read.
        """
        with self._came, self._access() as database:
            prefix, _, number = event_id.rpartition("-")
            known = prefix == database.prefix and number.isdigit() and len(number) < 19
            return [one.event for one in database.read(int(number) if known else 0, limit)]

    def find(self, event_id: str) -> Optional[Event]:
        """Return one event by its id; None where it is not kept.

        Raises:
            OSError: when the store cannot be read.
        """
        with self._came, self._access() as database:
            prefix, _, text = event_id.rpartition("-")
            if prefix != database.prefix or not (text.isascii() and text.isdigit()):
                return None
            found = database.read(int(text[:18]) - 1, 1)
        return found[0].event if found and found[0].event.id == event_id else None

    def refusals(self) -> List[Dict[str, Any]]:
        """Return which events were refused by receivers, and why.

        Raises:
            OSError: when the store cannot be read.
        """
        with self._came, self._access() as database:
            return database.refusals()

    # For the sinks

    def batch(self, sink: str, limit: int) -> List[StoredEvent]:
        """Return the next events of a sink, which are on the disk by then.

        Raises:
            OSError: when the store cannot be read or flushed.
        """
        with self._came, self._access() as database:
            found = database.read(self._cursors[sink].number, limit)
        if found:
            self._sync()
        return found

    def advance(self, sink: str, last: StoredEvent, delivered: int = 0) -> None:
        """Move a sink's cursor behind an event of a batch.

        Where the disk cannot take the cursor, events are delivered again after a restart.
        """
        with self._came:
            before = self._cursors.get(sink)
            if before is not None and self._is_ours(last):
                total = before.delivered + delivered
                self._keep_cursor(sink, before._replace(number=last.number, delivered=total))

    def refuse(self, sink: str, refused: Sequence[StoredEvent], reason: str) -> None:
        """Put events that a receiver refuses aside: they are counted and not delivered again."""
        with self._came:
            before = self._cursors.get(sink)
            if before is None or not self._is_ours(refused[-1]):
                return
            total = before.refused + len(refused)
            self._keep_cursor(sink, before._replace(number=refused[-1].number, refused=total))
            with contextlib.suppress(OSError), self._access(writes=True) as database:
                database.keep_refusal(sink, refused[0].number, refused[-1].number, reason)

    def cursor(self, sink: str) -> Cursor:
        """Return the progress of a sink."""
        with self._came:
            return self._cursors.get(sink, Cursor(0))

    def waiting(self, sink: str) -> int:
        """Return how many events a sink has yet to look at, at most."""
        with self._came:
            if self._database is None:
                return len(self._waiting)
            left = self._database.last - self.cursor(sink).number
            return min(left, self._database.count) + len(self._waiting)

    def wait(self, sink: str, seconds: float) -> None:
        """Wait until there may be events for a sink."""
        with self._came:
            database = self._database
            if database is None or database.last <= self.cursor(sink).number:
                self._came.wait(seconds)

    def wake(self) -> None:
        """End the waiting of all sinks."""
        with self._came:
            self._came.notify_all()

    # For the thread that takes care of it

    def care(self) -> None:
        """Store what waits in memory, flush commits, and remove old events; once a second."""
        with self._came:
            if self._database is not None and not os.path.exists(self.path):
                self._out_of_order("the file was removed")
                self._remember([lost_event(None, "the store of events was removed")])
            if self._waiting or self._lost:
                with contextlib.suppress(OSError):  # reported by the attribute ``fault``
                    self._write([])
                    self._came.notify_all()
        try:
            self._clean(self._sync())
        except OSError as error:
            with self._came:
                self.fault = self.fault or _sentence(error)

    def close(self) -> None:
        """Store what waits, flush it and close the file."""
        self.care()
        with self._came:
            if self._database is not None:
                self._database.close()
                self._database = None
            self._came.notify_all()

    def _sync(self) -> int:
        """Flush commits to the disk; return the bytes of the log, 0 where it was flushed before."""
        with self._syncing:  # a second caller waits for the first, whose flush serves both
            if self._synced:
                return 0
            self._synced = True  # before the flush: a later commit needs another one
            try:
                return sync_log(self.path)
            except BaseException:
                self._synced = False
                raise

    def _clean(self, length: int) -> None:
        now = self._clock()
        late = now - self._cared_at >= _CHECKPOINT_S
        if not late and length < _LONGEST_LOG:
            return
        self._cared_at = now
        if late:
            with self._came, self._access() as database:
                database.expire(time.time() - self._settings.days * _DAY_S)
        if self._dirty:
            self._dirty = False
            self._checkpoint()

    def _checkpoint(self) -> None:
        try:
            checkpoint(self.path)
        except sqlite3.Error as error:
            with self._came:
                raise self._failure(error) from error

    # With the lock

    def _remember(self, events: Sequence[Event]) -> None:
        for event in events:
            if len(self._waiting) >= _MOST_IN_MEMORY:
                self._waiting.popleft()
                self._lost += 1
            self._waiting.append(event)

    def _write(self, events: Sequence[Event]) -> List[Event]:
        """Store what waits in memory and some further events; return all with their ids."""
        prefix = self._prefix
        try:
            return self._insert(events)
        except OSError:
            if prefix and not self._prefix:  # a damaged database was put aside
                return self._insert(events)
            raise

    def _insert(self, events: Sequence[Event]) -> List[Event]:
        with self._access(writes=True) as database:
            notice = [lost_event(self._lost, "the disk cannot be written")] if self._lost else []
            everything = [*notice, *self._waiting, *events]
            found = database.insert(everything, self._settings.most)
            self._waiting.clear()
            self._lost = 0
        self._dirty = True
        self._synced = False
        return found

    def _is_ours(self, stored: StoredEvent) -> bool:
        """Whether an event comes from this store, not from one that was put aside since."""
        return stored.event.id == "{}-{}".format(self._prefix, stored.number)

    def _keep_cursor(self, sink: str, cursor: Cursor) -> None:
        self._cursors[sink] = cursor
        with contextlib.suppress(OSError), self._access(writes=True) as database:
            database.keep_cursor(sink, cursor)
            self._dirty = True

    @contextlib.contextmanager
    def _access(self, writes: bool = False) -> Iterator[EventDatabase]:
        """Give the database, opened again after a fault; turn its errors into sentences."""
        if self.fault and (writes or not self._database) and self._clock() < self._retry_at:
            raise OSError(self.fault)
        try:
            if self._database is None:
                self._database = self._opened()
            yield self._database
        except sqlite3.Error as error:
            raise self._failure(error) from error
        except OSError as error:
            raise self._out_of_order(_sentence(error)) from error
        if writes and not self._waiting:
            self.fault = ""

    def _opened(self) -> EventDatabase:
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        database = EventDatabase(self.path, self._app)
        try:
            stored = database.enrol(self._sinks)
        except BaseException:
            database.close()
            raise
        # A cursor in memory is newer where the disk could not take it, unless the store is new.
        same = database.prefix == self._prefix
        self._cursors = {**stored, **(self._cursors if same else {})}
        self._prefix = database.prefix
        return database

    def _failure(self, error: sqlite3.Error) -> OSError:
        """Return a fault as a sentence; put a damaged database aside."""
        if type(error) is sqlite3.DatabaseError:  # its subclasses have other causes
            return self._put_aside(error)
        if "full" in str(error):  # the connection is sound
            return self._out_of_order("the disk is full", self._database)
        return self._out_of_order("the disk fails: {}".format(error))

    def _out_of_order(self, reason: str, kept: Optional[EventDatabase] = None) -> OSError:
        if self._database is not None and kept is None:
            self._database.close()
        self._database = kept
        self.fault = reason
        self._retry_at = self._clock() + _RETRY_S
        return OSError(reason)

    def _put_aside(self, error: sqlite3.Error) -> OSError:
        """Rename a damaged database, of which one is kept; the next access begins a new one."""
        sentence = "the store of events was damaged ({})".format(str(error)[:100])
        _log.error("%s; it is kept as %s", sentence, DAMAGED)
        fault = self._out_of_order(sentence)
        aside = os.path.join(os.path.dirname(self.path), DAMAGED)
        try:
            for end in ("", "-wal"):
                if os.path.exists(self.path + end):
                    os.replace(self.path + end, aside + end)
            with contextlib.suppress(FileNotFoundError):
                os.remove(self.path + "-shm")
        except OSError as failed:
            return self._out_of_order(_sentence(failed))
        self.fault = self._prefix = ""
        self._cursors = {}
        self._waiting.appendleft(lost_event(None, sentence))
        return fault


def _sentence(error: OSError) -> str:
    return str(error.strerror or error)
