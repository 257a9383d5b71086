"""The last state of each board in a file (SQLite), which two studios may write at once."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from studio.api import TargetError
from studio.documents.dataclass_json import from_json, to_json
from studio.monitoring.boards.message import Heartbeat, RunTotals
from studio.monitoring.boards.record import BoardRecord

_SCHEMA = """
CREATE TABLE IF NOT EXISTS boards (
    name TEXT PRIMARY KEY, heard REAL NOT NULL, series TEXT NOT NULL, start INTEGER NOT NULL,
    seq INTEGER NOT NULL, content TEXT NOT NULL, base TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    board TEXT NOT NULL, run TEXT NOT NULL, seq INTEGER NOT NULL, place INTEGER NOT NULL,
    content BLOB, PRIMARY KEY (board, run)) WITHOUT ROWID;
"""
_PUT_BOARD = """
INSERT INTO boards VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (name) DO UPDATE SET heard = excluded.heard, series = excluded.series,
    start = excluded.start, seq = excluded.seq, content = excluded.content, base = excluded.base
WHERE excluded.heard >= boards.heard
"""
_PUT_RUN = """
INSERT INTO runs VALUES
    (?1, ?2, ?3, (SELECT COALESCE(MAX(place), 0) + 1 FROM runs WHERE board = ?1), ?4)
ON CONFLICT (board, run) DO UPDATE SET seq = excluded.seq, content = excluded.content
WHERE excluded.seq > runs.seq OR excluded.content IS NULL
"""


class BoardStore:
    """Records of boards in a file."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            TargetError: when it cannot be used.
        """
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._database = sqlite3.connect(path, timeout=30.0)
            self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise TargetError(f"The file {path} of the fleet cannot be used: {error}.") from None

    def records(self) -> Iterator[BoardRecord]:
        """Yield every board."""
        runs: dict[str, list[tuple[str, bytes | None]]] = {}
        query = "SELECT board, run, content FROM runs ORDER BY board, place"
        for board, run, content in self._database.execute(query):
            runs.setdefault(board, []).append((run, content))
        query = "SELECT name, heard, content, base FROM boards ORDER BY name"
        for name, heard, content, base in self._database.execute(query):
            record = BoardRecord(name)
            record.heard = heard
            record.last = from_json(Heartbeat, json.loads(content))
            counts, latency = json.loads(base)
            record.base = (counts[0], counts[1], counts[2])
            record.base_latency = {int(bucket): count for bucket, count in latency.items()}
            for run, content in runs.get(name, ()):
                if content is None:
                    record.folded[run] = None
                else:
                    record.runs[run] = _unpacked(content)
            yield record

    def save(self, records: Iterable[BoardRecord]) -> None:
        """Write records, all or nothing.

        Raises:
            TargetError: when the disk does not take them.
        """
        try:
            with self._database:
                for record in records:
                    self._save(record)
        except sqlite3.Error as error:
            sentence = f"The file {self._path} of the fleet cannot be written: {error}."
            raise TargetError(sentence) from None

    def _save(self, record: BoardRecord) -> None:
        last = record.last
        if last is None:
            return
        put = self._database.execute
        base = json.dumps([record.base, record.base_latency])
        content = json.dumps(to_json(last), separators=(",", ":"))
        put(
            _PUT_BOARD,
            (record.name, record.heard, last.series, last.start, last.seq, content, base),
        )
        # In their order, as new ones take the next place.
        for run in [*record.folded, *record.runs] if record.changed else ():
            if run in record.changed:
                one = record.runs.get(run)
                looked = (0, None) if one is None else (one.seq, _packed(one))
                put(_PUT_RUN, (record.name, run, *looked))
        for run in record.changed - record.folded.keys() - record.runs.keys():
            put("DELETE FROM runs WHERE board = ? AND run = ?", (record.name, run))
        record.changed.clear()

    def remove(self, board: str) -> None:
        """Remove a board.

        Raises:
            TargetError: when the disk does not take it.
        """
        try:
            with self._database:
                self._database.execute("DELETE FROM runs WHERE board = ?", (board,))
                self._database.execute("DELETE FROM boards WHERE name = ?", (board,))
        except sqlite3.Error as error:
            sentence = f"The file {self._path} of the fleet cannot be written: {error}."
            raise TargetError(sentence) from None

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _packed(one: RunTotals) -> bytes:
    return zlib.compress(json.dumps(to_json(one), separators=(",", ":")).encode(), 1)


def _unpacked(content: bytes) -> RunTotals:
    return from_json(RunTotals, json.loads(zlib.decompress(content)))
