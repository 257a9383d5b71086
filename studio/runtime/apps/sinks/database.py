"""SQLite file of events: rows with numbers that are never given twice, and cursors of sinks."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

from ...shared.files import sync
from ..items import Event, FrameStamp

EVENTS_LOST = "events-lost"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, step TEXT NOT NULL,
    source TEXT NOT NULL, frame INTEGER NOT NULL, time REAL NOT NULL, wall REAL NOT NULL,
    details TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cursors (
    sink TEXT PRIMARY KEY, number INTEGER NOT NULL, delivered INTEGER NOT NULL,
    refused INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS refusals (
    sink TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, wall REAL NOT NULL,
    reason TEXT NOT NULL);
"""
_COLUMNS = "number, kind, step, source, frame, time, wall, details"
_AUTOMATIC_CHECKPOINT = 4000
"""Pages; only when the thread that writes checkpoints is late, for it stops the caller."""
_MOST_REFUSALS = 1000
_MOST_CHECKED = 256 << 20
"""Bytes of a database that is checked when it is opened, which takes about a second."""


class StoredEvent(NamedTuple):
    """An event with its place in the order of the store."""

    number: int
    event: Event


class Cursor(NamedTuple):
    """Progress of one sink.

    Attributes:
        number: Of the last event that it needs no more.
        delivered, refused: Events that it took, and that its receiver refused.
    """

    number: int
    delivered: int = 0
    refused: int = 0


class EventDatabase:
    """An opened database; its caller takes care that one thread uses it at a time.

    All methods raise ``sqlite3.OperationalError`` for a disk that is full or cannot be written, and
    another ``sqlite3.DatabaseError`` for a file that is damaged.

    Attributes:
        prefix: App and store, with which the ids of all events begin.
        count: Number of events in it.
        last: Number of the last event that was ever stored.
    """

    def __init__(self, path: str, app: str) -> None:
        """Open the file, or create it."""
        self.path = path
        is_new = not os.path.exists(path)
        self._link = sqlite3.connect(
            path, timeout=5.0, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(app)
        except BaseException:
            self._link.close()
            raise
        if is_new:
            sync(Path(path).parent)

    def _prepare(self, app: str) -> None:
        self._link.execute("PRAGMA journal_mode=WAL")
        self._link.execute("PRAGMA synchronous=NORMAL")
        self._link.execute("PRAGMA wal_autocheckpoint={}".format(_AUTOMATIC_CHECKPOINT))
        if os.path.getsize(self.path) <= _MOST_CHECKED:
            for row in self._link.execute("PRAGMA quick_check(1)"):
                if row[0] != "ok":
                    raise sqlite3.DatabaseError(str(row[0]))
        self._link.executescript(_SCHEMA)
        prefix = "{}-{}".format(app, os.urandom(3).hex())
        self._link.execute("INSERT OR IGNORE INTO facts VALUES ('prefix', ?)", (prefix,))
        self.prefix = str(self._one("SELECT value FROM facts WHERE name = 'prefix'"))
        self.count = int(self._one("SELECT count(*) FROM events"))
        self.last = int(self._one("SELECT max(seq) FROM sqlite_sequence WHERE name='events'") or 0)

    def close(self) -> None:
        """Close the file, whatever state it is in."""
        with contextlib.suppress(sqlite3.Error):
            self._link.close()

    def insert(self, events: Sequence[Event], most: int) -> List[Event]:
        """Store events as one commit, and remove the oldest beyond ``most``.

        Events that some sink had not delivered are counted in a new event of the kind
        ``events-lost``.

        Returns:
            The given events with their ids.
        """
        before = self.count, self.last
        try:
            with self._change():
                found = [self._insert(event) for event in events]
                if self.count > most:
                    self._trim(most)
        except BaseException:
            self.count, self.last = before
            raise
        return found

    def read(self, number: int, limit: int) -> List[StoredEvent]:
        """Return the events that follow a number, the oldest first."""
        sentence = "SELECT {} FROM events WHERE number > ? ORDER BY number LIMIT ?"
        return self._events(sentence, (number, limit))

    def newest(self, limit: int) -> List[StoredEvent]:
        """Return the newest events, the oldest of them first."""
        sentence = "SELECT {} FROM events ORDER BY number DESC LIMIT ?"
        return self._events(sentence, (limit,))[::-1]

    def enrol(self, sinks: Sequence[str]) -> Dict[str, Cursor]:
        """Return the cursors of these sinks alone; a new sink begins with events to come."""
        with self._change():
            known = {row[0] for row in self._link.execute("SELECT sink FROM cursors")}
            for name in known - set(sinks):
                self._link.execute("DELETE FROM cursors WHERE sink = ?", (name,))
            for name in set(sinks) - known:
                self._link.execute("INSERT INTO cursors VALUES (?, ?, 0, 0)", (name, self.last))
        rows = self._link.execute("SELECT sink, number, delivered, refused FROM cursors")
        return {row[0]: Cursor(*row[1:]) for row in rows}

    def keep_cursor(self, sink: str, cursor: Cursor) -> None:
        """Store the progress of a sink."""
        self._link.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?)", (sink, *cursor))

    def keep_refusal(self, sink: str, first: int, last: int, reason: str) -> None:
        """Note which events a receiver refused, and why; the latest thousand notes are kept."""
        with self._change():
            row = (sink, first, last, time.time(), reason)
            self._link.execute("INSERT INTO refusals VALUES (?, ?, ?, ?, ?)", row)
            oldest = "DELETE FROM refusals WHERE rowid <= (SELECT max(rowid) FROM refusals) - ?"
            self._link.execute(oldest, (_MOST_REFUSALS,))

    def refusals(self) -> List[Dict[str, Any]]:
        """Return what receivers refused: sink, first and last number, time and reason."""
        rows = self._link.execute("SELECT sink, first, last, wall, reason FROM refusals")
        return [dict(zip(("sink", "first", "last", "time", "reason"), row)) for row in rows]

    def expire(self, wall: float) -> None:
        """Remove delivered events from before a time, in seconds since 1970."""
        delivered = self._delivered()
        with self._change():
            sentence = "DELETE FROM events WHERE number <= ? AND wall < ?"
            removed = self._link.execute(sentence, (delivered, wall)).rowcount
        self.count -= removed

    # In a transaction

    def _insert(self, event: Event) -> Event:
        stamp = event.stamp
        row = (event.kind, event.step, stamp.source, stamp.number, stamp.time, stamp.wall)
        done = self._link.execute(
            "INSERT INTO events (kind, step, source, frame, time, wall, details)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row, json.dumps(event.details)),
        )
        self.last = int(done.lastrowid or 0)
        self.count += 1
        return event._replace(id="{}-{}".format(self.prefix, self.last))

    def _trim(self, most: int) -> None:
        """Remove the excess and one percent, so that not every further event costs another one."""
        surplus = self.count - most + most // 100
        sentence = "SELECT number FROM events ORDER BY number LIMIT 1 OFFSET ?"
        last = int(self._one(sentence, (surplus - 1,)))
        lost = self._undelivered(last)
        self.count -= self._link.execute("DELETE FROM events WHERE number <= ?", (last,)).rowcount
        if lost:
            rows = self._link.execute("SELECT sink FROM cursors WHERE number < ?", (last,))
            self._insert(lost_event(lost, "too many wait", sorted(row[0] for row in rows)))

    def _undelivered(self, last: int) -> int:
        """Count the events up to a number that a sink waits for; a notice of loss is its count."""
        first = self._delivered()
        between = "FROM events WHERE number > ? AND number <= ? AND kind "
        events = self._one("SELECT count(*) " + between + "!= ?", (first, last, EVENTS_LOST))
        rows = self._link.execute("SELECT details " + between + "= ?", (first, last, EVENTS_LOST))
        return int(events) + sum(int(json.loads(row[0]).get("count") or 0) for row in rows)

    def _delivered(self) -> int:
        """Return the number up to which no sink needs events."""
        low = self._one("SELECT min(number) FROM cursors")
        return self.last if low is None else int(low)

    @contextlib.contextmanager
    def _change(self) -> Iterator[None]:
        self._link.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._link.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back already
                self._link.execute("ROLLBACK")
            raise

    def _one(self, sentence: str, values: Sequence[Any] = ()) -> Any:
        row = self._link.execute(sentence, values).fetchone()
        return None if row is None else row[0]

    def _events(self, sentence: str, values: Sequence[Any]) -> List[StoredEvent]:
        rows = self._link.execute(sentence.format(_COLUMNS), values).fetchall()
        return [StoredEvent(row[0], self._event(row)) for row in rows]

    def _event(self, row: Sequence[Any]) -> Event:
        number, kind, step, source, frame, moment, wall, details = row
        stamp = FrameStamp(source, frame, moment, wall, 0.0)
        return Event(kind, step, stamp, json.loads(details), "{}-{}".format(self.prefix, number))


def lost_event(count: Optional[int], reason: str, sinks: Sequence[str] = ()) -> Event:
    """Return the event that reports a loss of events.

    Args:
        count: Number of events; None where it is unknown.
        sinks: Those that had not delivered them; empty: all.
    """
    details: Dict[str, Any] = {"count": count, "reason": reason}
    if sinks:
        details["sinks"] = list(sinks)
    stamp = FrameStamp("", 0, time.monotonic(), time.time(), time.perf_counter())
    return Event(EVENTS_LOST, "outbox", stamp, details)


def checkpoint(path: str) -> None:
    """Move what was committed into the database itself, without stopping who writes.

    Raises:
        sqlite3.Error: when the disk or the file does not allow it.
    """
    link = sqlite3.connect(path, timeout=1.0)
    try:
        link.execute("PRAGMA synchronous=NORMAL")
        link.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    finally:
        link.close()


def sync_log(path: str) -> int:
    """Flush the commits of a database to the disk; return the bytes of its log.

    Raises:
        OSError: when the disk fails.
    """
    try:
        handle = os.open(path + "-wal", os.O_RDONLY)
    except FileNotFoundError:
        return 0
    try:
        os.fsync(handle)
        return os.fstat(handle).st_size
    finally:
        os.close(handle)


def storable(event: Event) -> Event:
    """Return an event that can be stored and sent: no NaN, no types of numpy, whole characters.

    An event that has no such form becomes one that reports its loss.
    """
    try:
        stamp = event.stamp
        moments = {"time": _finite(stamp.time), "wall": _finite(stamp.wall)}
        names = (_text(event.kind), _text(event.step))
        stamp = stamp._replace(source=_text(stamp.source), number=int(stamp.number), **moments)
        return Event(*names, stamp, _plain(dict(event.details)))
    except Exception as error:  # details come from steps of users, too
        reason = "an event cannot be stored: {}".format(error)
        return lost_event(1, _text(reason)[:200])


def _finite(value: float) -> float:
    return float(value) if math.isfinite(value) else 0.0


def _text(value: str) -> str:
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # an array or a number of numpy
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, dict):
        return {_text(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    return _text(value)
