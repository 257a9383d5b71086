"""The append-only record of what changed on a target, each entry chained to the one before."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from .files import sync
from .log_segments import CONTINUED, KEPT, SEAL_BYTES, Segments

START = "0" * 64
_HASH = "hash"
_TAIL_BYTES = 1 << 20
"""More than the longest entry."""


class Journal:
    """Lines of JSON. ``hash`` is the SHA-256 of the line without it; ``previous`` names the last.

    An entry counts when its line is whole: the torn end that a power cut leaves is cut off by the
    next append, and is not an entry.
    """

    def __init__(
        self,
        path: Path,
        sealed: Path | None = None,
        carried: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        """Write to a file.

        Args:
            sealed: Folder of the parts that were closed; without it the file grows on.
            carried: Facts for the beginning of a part, which outlive the parts before it.
        """
        self._path = path
        self._segments = None if sealed is None else Segments(sealed)
        self._carried = carried

    def append(self, event: str, **facts: object) -> None:
        """Add an entry and flush it to the disk."""
        self._seal()
        new = not self._path.exists()
        with open(self._path, "ab+") as file:
            last = self._whole_end(file)
            begun = not file.seek(0, os.SEEK_END) and self._beginning()
            if begun:
                last = _write(file, last, CONTINUED, begun)
            _write(file, last, event, facts)
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync(self._path.parent)
        if begun and self._segments is not None:
            self._segments.drop_oldest()

    def entries(self) -> list[dict[str, object]]:
        """All whole entries, the oldest first; of a damaged line, its text as ``damaged``."""
        while True:
            parts = self._parts()
            with contextlib.suppress(FileNotFoundError):  # another command dropped or sealed it
                found = [entry for path in parts for entry in _entries(path)]
                if parts == self._parts():
                    return found

    def readable(self) -> list[dict[str, object]]:
        """Return the entries up to the first one that was altered."""
        found = self.entries()
        broken = first_break(found)
        return found[: broken.place] if broken else found

    def broken_at(self) -> int:
        """Number of the first entry (from 1) that was altered, or 0 when the chain is whole."""
        return first_broken(self.entries())

    def stand(self) -> dict[str, object]:
        """``entries`` (as many as there ever were) and the hash of the last, the ``head``.

        A copy of them kept elsewhere shows later whether the end was cut off.
        """
        last_two = map(_entries, reversed(self._parts()[-2:]))  # a part may have no entry yet
        found = _chained(next(filter(None, last_two), []))
        head = ChainLink.of(found[-1]).hash if found else ""
        return {"entries": before(found) + len(found), "head": head}

    def _parts(self) -> list[Path]:
        sealed = [] if self._segments is None else self._segments.paths()
        return [*sealed, self._path] if self._path.exists() else sealed

    def _seal(self) -> None:
        """Close the file when it is full, without the torn end that it may have."""
        if self._segments is None or not self._path.exists():
            return
        if self._path.stat().st_size < SEAL_BYTES:
            return
        with open(self._path, "ab+") as file:
            self._whole_end(file)
            os.fsync(file.fileno())
        self._segments.seal(self._path)

    def _beginning(self) -> dict[str, object]:
        """Return the facts of the entry that continues the last sealed segment, if any."""
        paths = [] if self._segments is None else self._segments.paths()
        if not paths:
            return {}
        found = _entries(paths[-1])
        head = str(ChainLink.of(found[-1]).hash or START) if found else START
        place = {"segment": int(paths[-1].stem) + 1, "before": before(found) + len(found)}
        return {**self._carried(), **place, "continues": head}

    @staticmethod
    def _whole_end(file: IO[bytes]) -> str:
        """Cut a torn last line; return the hash of the last whole entry."""
        size = file.seek(0, os.SEEK_END)
        start = file.seek(max(0, size - _TAIL_BYTES))
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            file.truncate(start + whole)
        if not whole:
            return START
        try:
            return str(json.loads(content[:whole].splitlines()[-1])[_HASH])
        except (ValueError, KeyError, TypeError):
            # An altered line stays, and the chain stays broken there: broken_at reports it.
            return START


class ChainLink(NamedTuple):
    """Link of an entry to the chain; a part that the entry lacks is None."""

    event: object
    hash: object
    previous: object
    continues: object
    before: object
    segment: object

    @classmethod
    def of(cls, entry: Mapping[str, object]) -> ChainLink:
        """Take it from an entry."""
        return cls(*map(entry.get, cls._fields))

    @property
    def begins_part(self) -> bool:
        """Whether the entry is the first of a part."""
        return self.event == CONTINUED and self.previous == START

    @property
    def entries_before(self) -> int:
        """How many entries there were before a part."""
        return self.before if isinstance(self.before, int) and self.before > 0 else 0


class ChainBreak(NamedTuple):
    """First entry at which a chain is broken.

    Attributes:
        place: Of the first such entry among those that were given, from 0.
        number: The same among all that there ever were, from 1.
        missing: Number of entries missing before it; 0 when it was altered.
    """

    place: int
    number: int
    missing: int = 0


def first_break(entries: Sequence[Mapping[str, object]]) -> ChainBreak | None:
    """Return the first break of the chain, or None if it is whole."""
    last, dropped = START, before(entries)
    if dropped and _parts_after_the_first(entries) < KEPT:
        return ChainBreak(0, 1, missing=dropped)
    for place, entry in enumerate(entries):
        number = dropped + place + 1
        if not _is_itself(entry):
            return ChainBreak(place, number)
        link = ChainLink.of(entry)
        if link.begins_part:
            gap = link.entries_before + 1 - number
            if place and (gap or link.continues != last):
                return ChainBreak(place, number, missing=max(0, gap))
        elif link.previous != last:
            return ChainBreak(place, number)
        last = str(link.hash)
    return None


def first_broken(entries: Sequence[Mapping[str, object]]) -> int:
    """Return the number (from 1) of the first entry that breaks the chain, or 0."""
    found = first_break(entries)
    return found.number if found else 0


def before(entries: Sequence[Mapping[str, object]]) -> int:
    """How many entries there were before these, in parts that were dropped in time."""
    first = ChainLink.of(entries[0]) if entries else None
    return first.entries_before if first is not None and first.begins_part else 0


def _parts_after_the_first(entries: Sequence[Mapping[str, object]]) -> int:
    """By their numbers: the board itself drops a part only when it has enough newer ones."""
    links = map(ChainLink.of, entries)
    numbers = [int(str(link.segment or 0)) for link in links if link.begins_part]
    return max(numbers) - numbers[0]


def _chained(entries: Sequence[dict[str, object]]) -> list[dict[str, object]]:
    """Those of one part up to the first that was altered."""
    found: list[dict[str, object]] = []
    last: object = None
    for entry in entries:
        link = ChainLink.of(entry)
        if not _is_itself(entry) or (found and link.previous != last):
            break
        found.append(entry)
        last = link.hash
    return found


def _is_itself(entry: Mapping[str, object]) -> bool:
    return entry.get(_HASH) == _hash(entry)


def _write(file: IO[bytes], last: str, event: str, facts: Mapping[str, object]) -> str:
    entry = dict(facts, event=event, at=round(time.time(), 3), previous=last)
    entry[_HASH] = digest = _hash(entry)
    file.write(_line(entry))
    return digest


def _entries(path: Path) -> list[dict[str, object]]:
    return [_read(line) for line in path.read_bytes().split(b"\n")[:-1]]


def _read(line: bytes) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"damaged": line.decode("utf-8", "replace")}


def _hash(entry: Mapping[str, object]) -> str:
    rest = {key: value for key, value in entry.items() if key != "hash"}
    return hashlib.sha256(_line(rest)).hexdigest()


def _line(entry: dict[str, object]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n"
