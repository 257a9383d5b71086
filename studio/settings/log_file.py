"""The log's file: JSON lines, rotated by size, written to by several processes at once.

Each line is one write to a file that was opened to append, which no other process can divide. A
process that finds its file renamed opens the new one; what it wrote just before is in the renamed
one. Only a rotation takes a lock, on the file itself, and does not wait for it: so nothing is lost
and nobody is held up.
"""

from __future__ import annotations

import fcntl
import json
import logging
import math
import os
import time
from pathlib import Path

from studio.settings.redaction import keys_of, message_of, traceback_of

MOST_BYTES = 2 << 20
KEPT = 5
"""Rotated files (``studio.log.1``, the newest, to ``studio.log.5``)."""

_LONGEST = 16_000
_OURS = ("time", "level", "logger", "pid", "message", "traceback")


class JsonLines(logging.Formatter):
    """A record as one line: time in UTC, level, logger, process, its own keys, message."""

    def format(self, record: logging.LogRecord) -> str:
        """Write it in ASCII, so that no terminal obeys what shows the file."""
        line: dict[str, object] = {
            "time": utc(record.created),
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
        }
        for name, value in keys_of(record).items():
            if name not in _OURS:
                line[name] = _json_value(value)
        line["message"] = _cut(message_of(record))
        if trace := traceback_of(record):
            line["traceback"] = _cut(trace)
        return json.dumps(line, default=str)


class LogFile(logging.Handler):
    """A handler that appends to the file and drops failed writes: no job may fail by its log."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES, kept: int = KEPT) -> None:
        super().__init__()
        self._path = path
        self._most = most_bytes
        self._kept = kept
        self._file = -1
        self._is_torn = False
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            line = self.format(record)
            self._write(line.encode("ascii", "backslashreplace") + b"\n")
        except (OSError, ValueError, RecursionError):  # a full disk, a value that is no JSON
            pass

    def close(self) -> None:
        """Close the file; the next record would open it again."""
        self.acquire()
        try:
            self._close_file()
        finally:
            self.release()
        super().close()

    def _write(self, line: bytes) -> None:
        if not self._is_current():
            self._close_file()
            self._file = self._open()
        # The disk may have been full in the midst of the line before.
        line = b"\n" + line if self._is_torn else line
        self._is_torn = os.write(self._file, line) < len(line)
        if os.fstat(self._file).st_size > self._most:
            self._rotate()

    def _open(self) -> int:
        # Not the data folder itself: to ask whether it is there must not make it.
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _is_current(self) -> bool:
        """Return whether the open file still has its name, as another process may rotate it."""
        try:
            return self._file >= 0 and os.path.samestat(os.fstat(self._file), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another process is at it
        except OSError:
            pass  # a file system without locks: better rotated twice than without end
        try:
            if self._is_current():
                for number in range(self._kept, 0, -1):
                    self._rename(number)
        finally:
            self._close_file()  # and the lock with it

    def _rename(self, number: int) -> None:
        older = self._path.with_name(f"{self._path.name}.{number}")
        newer = f"{self._path.name}.{number - 1}" if number > 1 else self._path.name
        try:
            os.replace(self._path.with_name(newer), older)
        except FileNotFoundError:
            pass  # fewer files exist yet


def utc(seconds: float) -> str:
    """Return a time with milliseconds, in UTC."""
    whole, part = divmod(int(seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{part:03d}Z"


def _json_value(value: object) -> object:
    if isinstance(value, str):
        return _cut(value)
    # Python would write NaN, which is no JSON.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _cut(text: str) -> str:
    """Return a text without its middle where it is too long: both ends of a traceback matter."""
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"
