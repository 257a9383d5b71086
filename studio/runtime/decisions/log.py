"""The record of decisions on the disk: segments of a day and of a bounded size.

A server, its successor and commands of the release machine write to it. Each holds a lock around a
whole batch of entries, which is flushed once. The next batch cuts off a torn last line, as a power
cut leaves it.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..shared.files import sync
from .entry import LONGEST_LINE, START, ChainEntry, made, moment, read_entry

SEGMENT_BYTES = 8 << 20
"""A segment is closed at this size, or at the end of the day in UTC."""
_NAME = re.compile(r"(\d{6,12})-(\d{4}-\d{2}-\d{2})\.jsonl")
_LOCK = ".lock"


class Draft(NamedTuple):
    """An entry that has no place in the chain yet.

    Attributes:
        at: Seconds since the epoch.
        facts: Its content, as plain data.
    """

    event: str
    at: float
    facts: Mapping[str, object]


class Segment(NamedTuple):
    """One file of the record."""

    number: int
    day: str
    path: Path

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name


def segments_of(folder: Path) -> List[Segment]:
    """Return the segments in a folder, the oldest first; other files are passed over."""
    try:
        names = os.listdir(str(folder))
    except OSError:
        return []
    found = (_NAME.fullmatch(name) for name in names)
    return sorted(Segment(int(one[1]), one[2], folder / one[0]) for one in found if one)


def size_of(folder: Path) -> int:
    """Bytes of all segments together."""
    total = 0
    for segment in segments_of(folder):
        try:
            total += segment.path.stat().st_size
        except OSError:  # it was deleted just now
            pass
    return total


class DecisionLog:
    """The folder of one record; each public method takes its lock."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self._segment_bytes = segment_bytes
        self._end: Optional[Tuple[Tuple[int, int, int], ChainEntry]] = None

    def append(self, drafts: Sequence[Draft]) -> List[ChainEntry]:
        """Add entries in their order, and flush them to the disk.

        Raises:
            OSError: when they cannot be written; then none of them counts.
        """
        with self.alone():
            return self.append_alone(drafts)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock of the record."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(str(self.folder / _LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def append_alone(self, drafts: Sequence[Draft]) -> List[ChainEntry]:
        """Add entries while the lock is held; otherwise as ``append``."""
        segments = segments_of(self.folder)
        last = self._last_entry(segments)
        entries = list(_chained(drafts, last))
        current = segments[-1] if segments else None
        if current is None or self._is_full(current):
            current = self._next(current)
        self._write(current.path, b"".join([one.line() for one in entries]))
        self._end = _stamp(current.path), entries[-1]
        return entries

    def _is_full(self, segment: Segment) -> bool:
        # A clock that was set back opens no segment of an earlier day.
        if time.strftime("%Y-%m-%d", time.gmtime()) > segment.day:
            return True
        return segment.path.stat().st_size >= self._segment_bytes

    def _next(self, before: Optional[Segment]) -> Segment:
        number = 1 if before is None else before.number + 1
        day = time.strftime("%Y-%m-%d", time.gmtime())
        day = day if before is None else max(day, before.day)
        return Segment(number, day, self.folder / "{:06d}-{}.jsonl".format(number, day))

    def _write(self, path: Path, lines: bytes) -> None:
        new = not path.exists()
        with open(str(path), "ab", opener=_private) as file:
            size = file.tell()
            try:
                file.write(lines)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                self._end = None
                os.ftruncate(file.fileno(), size)  # a disk that is full keeps no half batch
                raise
        if new:
            sync(path.parent)

    def _last_entry(self, segments: Sequence[Segment]) -> Optional[ChainEntry]:
        """Return the last whole entry, and cut off what is torn behind it."""
        for segment in reversed(segments):
            if self._end is not None and self._end[0] == _stamp(segment.path):
                return self._end[1]
            with open(str(segment.path), "rb+") as file:
                found = _whole_end(file)
            if found is not None:
                return found
        return None


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the whole lines of a segment, without their breaks; a line that is too long is cut."""
    with open(str(path), "rb") as file:
        while True:
            line = file.readline(LONGEST_LINE + 2)
            if not line:
                return
            if line.endswith(b"\n"):
                yield line[:-1]
            elif len(line) > LONGEST_LINE:
                yield line
            else:  # torn by a power cut, or just being written
                return


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _stamp(path: Path) -> Tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _chained(drafts: Sequence[Draft], last: Optional[ChainEntry]) -> Iterator[ChainEntry]:
    number, previous = (0, START) if last is None else (last.number, last.hash)
    for draft in drafts:
        number += 1
        entry = made(number, draft.event, moment(draft.at), previous, draft.facts)
        previous = entry.hash
        yield entry


def _whole_end(file: BinaryIO) -> Optional[ChainEntry]:
    """Cut off a torn last line; return the last entry, and None where the file has none.

    A last line that was altered is continued by its number and hash, as far as they can be read:
    the fault stays where it is, and is found there.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - 2 * LONGEST_LINE)
    file.seek(start)
    content = file.read()
    whole = content.rfind(b"\n") + 1
    if whole != len(content) and (whole or not start):
        file.truncate(start + whole)
    for line in reversed(content[:whole].splitlines()):
        found = read_entry(line)
        if found is not None:
            return found
    return None
