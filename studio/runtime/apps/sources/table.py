"""Numbers in lines of text: a CSV file, a growing file, a FIFO or a serial device."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from typing import Any, BinaryIO, Callable, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ..items import SIGNAL
from ..parts import IDLE, AppContext, Capture, SourceFrame, SourceType

ROOM = 64
_LONGEST_LINE = 65536
_PAUSE_S = 0.05
_MOST_ROWS = 1_000_000
_MARK = re.compile(rb"[,;\t]")


class CsvSettings(NamedTuple):
    """Settings of numbers in lines of text.

    Attributes:
        path: File, FIFO, or device such as ``/dev/ttyUSB0``.
        columns: Their names in the first line, or their numbers from 0; empty: all.
        rate_hz: Lines a second.
        piece_s: Seconds of readings that travel together.
        follow: Give lines as they come, instead of those that are there.
        baud: Speed of a serial device; 0: as it is set.
        timeout_s: When it follows: without a line for that long it counts as lost; 0: never.
    """

    path: str
    rate_hz: float
    columns: Tuple[str, ...] = ()
    piece_s: float = 0.1
    follow: bool = False
    baud: int = 0
    timeout_s: float = 0.0


class Columns:
    """Choice of columns, made with the first line."""

    def __init__(self, wanted: Tuple[str, ...]) -> None:
        self._wanted = wanted
        self._numbers: Optional[List[int]] = None
        self._width = 0

    def row(self, line: bytes) -> Optional[List[float]]:
        """Return the numbers of a line; None for a header.

        Raises:
            ValueError: for a line without these numbers, in words for people.
        """
        cells = _cells(line)
        if self._numbers is None:
            is_header = self._choose(cells)
            if is_header:
                return None
        chosen = self._numbers or []
        if self._width and len(cells) != self._width:
            raise ValueError("{} columns instead of {}".format(len(cells), self._width))
        return [float(cells[at]) for at in chosen]

    def _choose(self, cells: List[bytes]) -> bool:
        """Decide with the first line; return whether it is a header."""
        names = [cell.decode("utf-8", "replace").strip('"') for cell in cells]
        is_header = not all(_is_number(cell) for cell in cells)
        wanted = self._wanted or tuple(str(at) for at in range(len(cells)))
        numbers = [_place(name, names if is_header else []) for name in wanted]
        for name, at in zip(wanted, numbers):
            if at is None or at >= len(cells):
                raise ValueError("it has no column {!r}".format(name[:40]))
        self._numbers = [at for at in numbers if at is not None]
        self._width = len(cells)
        return is_header


class CsvFile:
    """Readings of a file, in pieces with their exact times."""

    def __init__(self, path: str, settings: CsvSettings) -> None:
        """Open the file.

        Raises:
            OSError: when it cannot be opened.
        """
        self._file = open(path, "rb")  # noqa: SIM115  # closed by ``close``
        self._columns = Columns(settings.columns)
        self._rate_hz = settings.rate_hz
        self._rows = _rows_of(settings)
        self._line = 0
        self._number = 0

    def read(self) -> Optional[SourceFrame]:
        """Return the next piece, samples x columns; None at the end.

        Raises:
            OSError: for a line that does not have the numbers.
        """
        rows: List[List[float]] = []
        while len(rows) < self._rows:
            line = self._file.readline(_LONGEST_LINE)
            if not line:
                break
            self._line += 1
            row = self._row(line)
            if row is not None:
                rows.append(row)
        if not rows:
            return None
        moment = self._number / self._rate_hz
        self._number += len(rows)
        return SourceFrame(np.array(rows, dtype=np.float32), moment)

    def _row(self, line: bytes) -> Optional[List[float]]:
        if not line.strip():
            return None
        try:
            return self._columns.row(line)
        except ValueError as error:
            raise OSError("line {}: {}".format(self._line, error)) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class FollowedLines:
    """Lines as they come.

    Times follow the rate, so that durations are exact: sample n has the time of the first one plus
    n / rate. Where they differ from the clock by more than a second, lines were lost or came
    slower, and the times begin again at the clock.
    """

    def __init__(
        self,
        path: str,
        settings: CsvSettings,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Open the file, a regular one at its end.

        Raises:
            OSError: when it cannot be opened.
        """
        self._path = path
        self._clock = clock
        self._pause = pause
        self._columns = Columns(settings.columns)
        self._rows = _rows_of(settings)
        self._times = SampleTimes(settings.rate_hz)
        self._patience_s = max(1.0, 2 * settings.piece_s)
        self._latest = clock()
        self._buffer = bytearray()
        self._waiting: List[List[float]] = []
        self._file, self._is_regular = _followed(path, settings.baud)
        self._is_terminal = self._file.isatty()  # one that is gone is no terminal
        if self._is_regular:
            self._first_line()

    def _first_line(self) -> None:
        """Read the header of a file, and go to its end."""
        line = self._file.readline(_LONGEST_LINE)
        if line.endswith(b"\n"):
            with contextlib.suppress(ValueError):
                self._columns.row(line)
            self._file.seek(0, os.SEEK_END)
        else:
            self._file.seek(0)

    def read(self) -> Optional[SourceFrame]:
        """Return the next piece, samples x columns, or ``IDLE``.

        Raises:
            OSError: when the device is gone.
        """
        if not self._more():
            return self._late()
        self._latest = self._clock()
        while True:
            line, mark, rest = self._buffer.partition(b"\n")
            if not mark:
                break
            self._buffer = rest
            self._take(bytes(line))
        if len(self._buffer) > _LONGEST_LINE:
            self._buffer.clear()
        return self._piece() if len(self._waiting) >= self._rows else IDLE

    def _late(self) -> SourceFrame:
        """Return what waits when no more lines come; a pause and ``IDLE`` before that."""
        if self._waiting and self._clock() - self._latest > self._patience_s:
            return self._piece()
        self._pause(_PAUSE_S)
        return IDLE

    def _piece(self) -> SourceFrame:
        rows, self._waiting = self._waiting, []
        moment = self._times.next(len(rows), self._clock())
        return SourceFrame(np.array(rows, dtype=np.float32), moment)

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        with contextlib.suppress(ValueError):  # half a line at the start, or a disturbed one
            row = self._columns.row(line)
            if row is not None:
                self._waiting.append(row)

    def _more(self) -> bool:
        found = self._file.read(_LONGEST_LINE)
        if found:
            self._buffer += found
        elif self._is_regular:
            self._follow_rotation()
        elif found is not None and self._is_terminal:  # a FIFO may get another writer
            raise OSError("the device is gone")
        return bool(found)

    def _follow_rotation(self) -> None:
        """Begin at the start of a file that was cut or replaced."""
        at = os.stat(self._path)
        ours = os.fstat(self._file.fileno())
        if (at.st_dev, at.st_ino) != (ours.st_dev, ours.st_ino):
            self._file.close()
            self._file, _ = _followed(self._path, 0)
        elif at.st_size < self._file.tell():
            self._file.seek(0)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class SampleTimes:
    """Times of pieces of a signal that comes live, by the number of its samples."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._first: Optional[float] = None
        self._samples = 0

    def next(self, samples: int, now: float) -> float:
        """Return the time of the first sample of a piece that has just been read."""
        first = now - samples / self._rate_hz
        if self._first is not None:
            due = self._first + self._samples / self._rate_hz
            if abs(due - first) <= 1.0:
                self._samples += samples
                return due
        self._first = first
        self._samples = samples
        return first


def _followed(path: str, baud: int) -> Tuple[BinaryIO, bool]:
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        is_regular = stat.S_ISREG(os.fstat(handle).st_mode)
        if os.isatty(handle):
            _raw(handle, baud)
        return os.fdopen(handle, "rb", buffering=0 if not is_regular else -1), is_regular
    except BaseException:
        os.close(handle)
        raise


def _raw(handle: int, baud: int) -> None:
    """Set a serial device: its speed, and bytes as they come."""
    import termios

    modes: List[Any] = termios.tcgetattr(handle)
    modes[0] &= ~(termios.IXON | termios.IXOFF | termios.INLCR | termios.IGNCR)
    modes[1] &= ~termios.OPOST
    modes[6][termios.VMIN] = 1  # without it, a device without data reads like one that is gone
    modes[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
    if baud:
        speed = getattr(termios, "B{}".format(baud), None)
        if speed is None:
            raise OSError("{} is no speed of a serial device".format(baud))
        modes[4] = modes[5] = speed
    termios.tcsetattr(handle, termios.TCSANOW, modes)


def _cells(line: bytes) -> List[bytes]:
    """Split a line at commas, semicolons or tabs; without one of them, at blanks."""
    if _MARK.search(line):
        return [cell.strip() for cell in _MARK.split(line.strip(b"\r\n"))]
    return line.split()


def _rows_of(settings: CsvSettings) -> int:
    rows = round(settings.rate_hz * settings.piece_s)
    return max(1, min(int(rows), _MOST_ROWS))


def _is_number(cell: bytes) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _place(name: str, header: List[str]) -> Optional[int]:
    if name in header:
        return header.index(name)
    return int(name) if name.isdigit() and len(name) < 6 else None


def _open(settings: CsvSettings, context: AppContext) -> Capture:
    if settings.rate_hz <= 0 or settings.piece_s <= 0:
        raise OSError("rate_hz and piece_s must be above 0")
    if settings.follow:
        return FollowedLines(settings.path, settings)
    return CsvFile(context.file(settings.path), settings)


TYPES: Dict[str, SourceType] = {
    "csv": SourceType(
        "csv",
        "Numbers in lines of text: a CSV file, a growing file, a FIFO or a serial device",
        SIGNAL,
        CsvSettings,
        lambda settings: bool(settings.follow),
        _open,
        room=ROOM,
    )
}
