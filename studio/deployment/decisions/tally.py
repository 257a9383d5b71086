"""Counts of a record's entries: by kind, and by the versions that answered."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from studio.deployment.decisions.results import DecisionRow, EntryCounts, ServedPeriod
from studio.runtime.decisions.entry import DECISION, DELETED, GAP, OVERRIDE, ChainEntry, deleted_in

_MOST_VERSIONS = 1000
_LONGEST = 300


class DecisionCounter:
    """Counts of the entries that were added.

    Attributes:
        counts: By kind.
    """

    def __init__(self) -> None:
        self.counts = EntryCounts()
        self._periods: dict[tuple[str, str, str], ServedPeriod] = {}

    @property
    def models(self) -> tuple[ServedPeriod, ...]:
        """The versions that answered, in the order in which they began."""
        return tuple(self._periods.values())

    def add(self, entry: ChainEntry) -> None:
        """Count an entry."""
        now = self.counts
        if entry.kept is None:
            now = replace(now, forgotten=now.forgotten + 1)
        if entry.event == DECISION:
            now = replace(now, decisions=now.decisions + 1)
        elif entry.event == OVERRIDE:
            now = replace(now, overrides=now.overrides + 1)
        elif entry.event == GAP:
            lost = _whole(_Content.of(entry).lost)
            now = replace(now, gaps=now.gaps + 1, lost=now.lost + lost)
        elif entry.event == DELETED:
            now = replace(now, deleted=now.deleted + _deleted(entry))
        self.counts = now
        if entry.kept is not None and entry.event in (DECISION, OVERRIDE):
            self._answered(entry)

    def _answered(self, entry: ChainEntry) -> None:
        """Count a decision for its version, and an override for that of the earlier answer."""
        kept = _Content.of(entry)
        key = (_text(kept.model), _text(kept.version), _text(kept.digest))
        was = self._periods.get(key)
        if entry.event == OVERRIDE:
            if was is not None:
                self._periods[key] = replace(was, overrides=was.overrides + 1)
            return
        if was is None and len(self._periods) >= _MOST_VERSIONS:
            return
        was = was or ServedPeriod(*key, 0, 0, entry.at, entry.at)
        ends = (min(was.first, entry.at), max(was.last, entry.at))
        self._periods[key] = replace(was, decisions=was.decisions + 1, first=ends[0], last=ends[1])


class _Content(NamedTuple):
    """Parts of a content, of any kind as a target may send them; None for a part that it lacks."""

    model: object
    version: object
    digest: object
    request: object
    input: object
    by: object
    was: object
    decision: object
    reason: object
    meaning: object
    lost: object
    why: object
    numbers: object

    @classmethod
    def of(cls, entry: ChainEntry) -> _Content:
        """Take them from an entry."""
        return cls(*map((entry.kept or {}).get, cls._fields))


def row_of(entry: ChainEntry) -> DecisionRow:
    """Return an entry as a list shows it."""
    if entry.kept is None:
        return DecisionRow(entry.at, entry.event, "", "", "", "content forgotten")
    kept = _Content.of(entry)
    names = (_text(kept.request), _text(kept.version), _text(kept.input))
    return DecisionRow(entry.at, entry.event, *names, _sentence(entry, kept), _text(kept.by))


def _sentence(entry: ChainEntry, kept: _Content) -> str:
    if entry.event == OVERRIDE:
        change = f"{_text(kept.was) or 'answer'} -> {_text(kept.decision)}"
        return f"{change}: {_text(kept.reason)}"
    if entry.event == GAP:
        return f"{_whole(kept.lost):,} decisions not recorded: {_text(kept.why)}"
    if entry.event == DELETED:
        return f"{_deleted(entry):,} entries deleted by age"
    if isinstance(kept.numbers, list):
        return f"{len(kept.numbers):,} contents deleted on request"
    return _text(kept.meaning or kept.model)


def _deleted(entry: ChainEntry) -> int:
    return sum(_whole(one.get("entries")) for one in deleted_in(entry))


def _text(value: object) -> str:
    return "" if value is None else str(value)[:_LONGEST]


def _whole(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 62 else 0
