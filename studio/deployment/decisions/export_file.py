"""Files of exported periods: a header, the entries and later proofs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from studio.api import InvalidData, UsageError
from studio.deployment.decisions.results import RecordFault
from studio.deployment.decisions.tally import DecisionCounter
from studio.documents.dataclass_json import InvalidDocument, from_json, to_json
from studio.lazy_dataclass import dataclass
from studio.runtime.decisions.chain import ChainCheck
from studio.runtime.decisions.entry import (
    FORGOTTEN,
    LONGEST_LINE,
    ChainEntry,
    canonical,
    forgotten_in,
)

FORMAT = 1
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?")
_DAY = 10
_AFTER = "U"
"""Sorts behind every time of a day."""


@dataclass(frozen=True, slots=True)
class ExportHeader:
    """First line of an exported file.

    Attributes:
        decisions: Version of the format.
        begin, end: The chosen period; empty where it is open.
        entries: Number of entries in the period.
        proofs: Number of entries behind them, which only show what was forgotten.
    """

    decisions: int
    target: str
    begin: str
    end: str
    at: str
    entries: int
    proofs: int


@dataclass(frozen=True, slots=True)
class Period:
    """A period as texts that sort like the times of entries."""

    begin: str = ""
    end: str = ""

    @classmethod
    def of(cls, begin: str | None, end: str | None) -> Period:
        """Return the period between two days or minutes in UTC; a last day is included.

        Raises:
            UsageError: for what is no time, or ends before it begins.
        """
        first, last = _time(begin, "--from"), _time(end, "--to")
        found = cls(first, last + _AFTER if len(last) == _DAY else last)
        if last and first > found.end:
            raise UsageError("The period ends before it begins.")
        return found

    def is_before(self, at: str) -> bool:
        """Return whether a time comes before the period."""
        return at < self.begin

    def is_after(self, at: str) -> bool:
        """Return whether a time comes after the period."""
        return bool(self.end) and at >= self.end


def _time(text: str | None, flag: str) -> str:
    if not text:
        return ""
    try:
        if not _TIME.fullmatch(text):
            raise ValueError
        datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{flag} {text[:40]!r} is no time.", hint="Use 2026-12-01 or 2026-12-01T08:30, in UTC."
        ) from None
    return text


class ExportWriter:
    """Writes the entries of a period, which are given in their order.

    Attributes:
        tally: Counts of the period.
        entries, proofs: Numbers of lines of the two kinds.
        first, last: Hashes at the ends of the period.
    """

    def __init__(self, period: Period, body: BinaryIO) -> None:
        self.tally = DecisionCounter()
        self.entries = self.proofs = 0
        self.first = self.last = ""
        self._period = period
        self._body = body
        self._open: dict[int, str] = {}
        self._state = "before"

    def add(self, entry: ChainEntry) -> None:
        """Write an entry, if it belongs to the period or proves what is missing in it."""
        if self._state == "before" and not self._period.is_before(entry.at):
            self._state = "within"
        if self._state == "within" and self._period.is_after(entry.at):
            self._state = "behind"
        if self._state == "within":
            self._take(entry)
        elif self._state == "behind" and self._proves(entry):
            self._body.write(entry.line())
            self.proofs += 1

    def _take(self, entry: ChainEntry) -> None:
        self._body.write(entry.line())
        self.tally.add(entry)
        self.first = self.first or entry.hash
        self.last = entry.hash
        self.entries += 1
        if entry.kept is None:
            self._open[entry.number] = entry.content
        self._proves(entry)

    def _proves(self, entry: ChainEntry) -> bool:
        if entry.event != FORGOTTEN or not self._open:
            return False
        found = [number for number in forgotten_in(entry) if number in self._open]
        for number in found:
            del self._open[number]
        return bool(found)


def header_line(header: ExportHeader) -> bytes:
    """Return the first line of a file."""
    return canonical(to_json(header)) + b"\n"


class CheckedExport:
    """An exported file, read and verified line by line.

    Attributes:
        header: Its first line.
        check: The check of its entries.
        tally: Counts of its entries.
    """

    def __init__(self, name: str, file: BinaryIO) -> None:
        """Read a file.

        Raises:
            InvalidData: when it is no export.
        """
        self.check = ChainCheck(whole=False)
        self.tally = DecisionCounter()
        lines = _lines(file)
        self.header = _header(name, next(lines, b""))
        count = 0
        for number, line in enumerate(lines, 2):
            count += 1
            if count > self.header.entries:
                self.check.prove(line, name, number)
                continue
            entry = self.check.add(line, name, number)
            if entry is not None:
                self.tally.add(entry)
        self._cut = self.header.entries + self.header.proofs - count
        self._name = name

    @classmethod
    def of(cls, path: Path) -> CheckedExport:
        """Read the file at a path.

        Raises:
            InvalidData: when it is no export, or cannot be read.
        """
        try:
            with path.open("rb") as file:
                return cls(path.name, file)
        except OSError as error:
            raise InvalidData(f"{path} cannot be read: {error.strerror}.") from None

    @property
    def fault(self) -> RecordFault | None:
        """The first place at which it is not what was written."""
        found = self.check.finish()
        if found is not None:
            return RecordFault(*found)
        if not self._cut:
            return None
        at = "" if self.check.last is None else self.check.last.at
        reason = f"the file has {abs(self._cut)} lines {'less' if self._cut > 0 else 'more'}"
        return RecordFault(self._name, self.check.entries + 1, at, f"{reason} than were written")


def _header(name: str, line: bytes) -> ExportHeader:
    try:
        found = from_json(ExportHeader, json.loads(line))
    except (ValueError, RecursionError, InvalidDocument):
        raise InvalidData(f"{name} is no export of decisions.") from None
    if found.decisions != FORMAT:
        raise InvalidData(f"{name} has another format than this version reads.")
    return found


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE + 2):
        yield line.removesuffix(b"\n")
