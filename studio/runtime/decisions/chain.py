"""Verification of a record of decisions, line by line, in a memory that does not grow with it."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional

from .entry import START, ChainEntry, deleted_in, forgotten_in, read_entry

_MOST_OPEN = 1_000_000
"""Deleted contents whose proof may still be to come; a hostile record has no more of them."""


class ChainFault(NamedTuple):
    """First place at which a record is not what was written.

    Attributes:
        file: Name of its segment or file.
        line: In that file, from 1.
        at: Time of the entry, or of the last whole one before it; empty at the very beginning.
        reason: What is wrong, without a full stop.
    """

    file: str
    line: int
    at: str
    reason: str


class _Missing(NamedTuple):
    """A content that is not there."""

    file: str
    line: int
    at: str
    content: str


class ChainCheck:
    """A check of lines in their order; the first fault stays.

    Attributes:
        fault: None as long as all is whole.
        entries: Number of whole entries so far.
        first, last: Entries at the two ends.
    """

    def __init__(self, whole: bool = True) -> None:
        """Begin.

        Args:
            whole: The lines are all that is left of a record. Those of a period need no proof of
                what came before them.
        """
        self.fault: Optional[ChainFault] = None
        self.entries = 0
        self.first: Optional[ChainEntry] = None
        self.last: Optional[ChainEntry] = None
        self._whole = whole
        self._missing: Dict[int, _Missing] = {}
        self._begins_at = "", 0
        self._begun = False

    def add(self, line: bytes, file: str, number: int) -> Optional[ChainEntry]:
        """Check the next line, without its line break; return its entry where it is whole.

        Args:
            file: That it is in.
            number: Its place there, from 1.
        """
        entry = read_entry(line)
        if entry is None:
            self._fail(file, number, "", "the line is no entry of a record")
            return None
        reason = entry.fault or self._out_of_place(entry)
        if reason:
            self._fail(file, number, entry.at, reason)
            return None
        if self.first is None:
            self.first, self._begins_at = entry, (file, number)
            self._begun = entry.number == 1
        self.last = entry
        self.entries += 1
        self._note(entry, file, number)
        return entry

    def prove(self, line: bytes, file: str, number: int) -> None:
        """Take an entry from beyond a part, which only shows what was forgotten or deleted."""
        entry = read_entry(line)
        if entry is None or entry.fault:
            self._fail(file, number, "" if entry is None else entry.at, "the proof was altered")
            return
        self._explain(entry)

    def finish(self) -> Optional[ChainFault]:
        """Return the first fault once all lines are there; None for a whole record."""
        if self.fault is None and self._missing:
            lost = self._missing[min(self._missing)]
            reason = "the content was removed, and no entry names who did it"
            self._fail(lost.file, lost.line, lost.at, reason)
        if self.fault is None and self._whole and self.first is not None and not self._begun:
            reason = "the beginning is missing, and no entry proves its deletion"
            self._fail(*self._begins_at, self.first.at, reason)
        return self.fault

    def _out_of_place(self, entry: ChainEntry) -> str:
        before = self.last
        if before is None:
            return "" if (entry.number == 1) == (entry.previous == START) else "the chain is broken"
        if entry.number > before.number + 1:
            return "{} entries are missing before it".format(entry.number - before.number - 1)
        if entry.number != before.number + 1 or entry.previous != before.hash:
            return "the entry does not follow the one before it"
        return ""

    def _note(self, entry: ChainEntry, file: str, number: int) -> None:
        if entry.kept is None:
            if len(self._missing) >= _MOST_OPEN:
                self._fail(file, number, entry.at, "too many contents are missing")
                return
            self._missing[entry.number] = _Missing(file, number, entry.at, entry.content)
        self._explain(entry)

    def _explain(self, entry: ChainEntry) -> None:
        for place, content in forgotten_in(entry).items():
            lost = self._missing.get(place)
            if lost is not None and lost.content == content:
                del self._missing[place]
        first = self.first
        for segment in deleted_in(entry):
            if first is not None and segment.get("last") == first.previous:
                self._begun = True

    def _fail(self, file: str, line: int, at: str, reason: str) -> None:
        if self.fault is None:
            before = "" if self.last is None else self.last.at
            self.fault = ChainFault(file, line, at or before, reason)
