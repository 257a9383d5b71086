"""Counts of a record's entries: by kind, and by the versions that answered."""

from __future__ import annotations

from dataclasses import replace

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
        now, kept = self.counts, entry.kept or {}
        if entry.kept is None:
            now = replace(now, forgotten=now.forgotten + 1)
        if entry.event == DECISION:
            now = replace(now, decisions=now.decisions + 1)
            self._decided(entry)
        elif entry.event == OVERRIDE:
            now = replace(now, overrides=now.overrides + 1)
            self._overruled(entry)
        elif entry.event == GAP:
            now = replace(now, gaps=now.gaps + 1, lost=now.lost + _whole(kept.get("lost")))
        elif entry.event == DELETED:
            gone = sum(_whole(one.get("entries")) for one in deleted_in(entry))
            now = replace(now, deleted=now.deleted + gone)
        self.counts = now

    def _decided(self, entry: ChainEntry) -> None:
        kept = entry.kept
        if kept is None:
            return
        key = (_text(kept.get("model")), _text(kept.get("version")), _text(kept.get("digest")))
        was = self._periods.get(key)
        if was is None and len(self._periods) >= _MOST_VERSIONS:
            return
        was = was or ServedPeriod(*key, 0, 0, entry.at, entry.at)
        ends = (min(was.first, entry.at), max(was.last, entry.at))
        self._periods[key] = replace(was, decisions=was.decisions + 1, first=ends[0], last=ends[1])

    def _overruled(self, entry: ChainEntry) -> None:
        """Count an override for the version whose answer it replaces."""
        kept = entry.kept or {}
        wanted = (_text(kept.get("model")), _text(kept.get("version")), _text(kept.get("digest")))
        was = self._periods.get(wanted)
        if was is not None:
            self._periods[wanted] = replace(was, overrides=was.overrides + 1)


def row_of(entry: ChainEntry) -> DecisionRow:
    """Return an entry as a list shows it."""
    kept = entry.kept
    if kept is None:
        return DecisionRow(entry.at, entry.event, "", "", "", "content forgotten")
    texts = {name: _text(kept.get(name)) for name in ("request", "version", "input", "by")}
    return DecisionRow(entry.at, entry.event, text=_said(entry), **texts)


def _said(entry: ChainEntry) -> str:
    kept = entry.kept or {}
    if entry.event == OVERRIDE:
        text = f"{_text(kept.get('was')) or 'answer'} -> {_text(kept.get('decision'))}"
        return f"{text}: {_text(kept.get('reason'))}"
    if entry.event == GAP:
        return f"{_whole(kept.get('lost')):,} decisions not recorded: {_text(kept.get('why'))}"
    if entry.event == DELETED:
        gone = sum(_whole(one.get("entries")) for one in deleted_in(entry))
        return f"{gone:,} entries deleted by age"
    numbers = kept.get("numbers")
    if isinstance(numbers, list):
        return f"{len(numbers):,} contents deleted on request"
    return _text(kept.get("meaning") or kept.get("model"))


def _text(value: object) -> str:
    return "" if value is None else str(value)[:_LONGEST]


def _whole(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 62 else 0
