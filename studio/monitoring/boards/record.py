"""The law by which heartbeats of a board are merged: lost, doubled and late ones change no count.

The state of a board is that of its newest message. Its counts are the sum over its runs, and of
each run the look with the largest number counts alone. So a message may come twice, late, or never:
the next one holds all that it held. As a set this is a map from runs to their latest looks, whose
union by the largest number is commutative, associative and idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from studio.monitoring.boards.message import BadMessage, Heartbeat, RunTotals

MOST_RUNS = 64
"""Runs of a board that are known one by one; boards themselves send at most 32."""

MOST_FOLDED = 512
"""Older runs whose names are remembered, so that a late message does not count them again."""

BACK, TAKEN = "counts went back", "name of two boards"
_SILENT_INTERVALS, _SILENT_S = 3.0, 30.0


def is_silent(heard: float, every_s: float, now: float) -> bool:
    """Return whether a board missed three heartbeats; times are of this computer's clock."""
    return now - heard > _SILENT_INTERVALS * every_s + _SILENT_S


class BoardRecord:
    """Record of a board: its state and its runs.

    Attributes:
        heard: Arrival of the newest message, by the clock of this computer.
        last: The newest message; its runs are kept in ``runs``.
        runs: The latest look at each run, in the order in which they became known.
        folded: Names of older runs, whose counts are in ``base``.
        base: Requests, errors and rejected requests of the folded runs.
        base_latency: Their latencies, by bucket.
        changed: Names of the runs that changed since they were stored.
    """

    __slots__ = ("base", "base_latency", "changed", "folded", "heard", "last", "name", "runs")

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard = 0.0
        self.last: Heartbeat | None = None
        self.runs: dict[str, RunTotals] = {}
        self.folded: dict[str, None] = {}
        self.base = (0, 0, 0)
        self.base_latency: dict[int, int] = {}
        self.changed: set[str] = set()

    @property
    def totals(self) -> tuple[int, int, int]:
        """Requests, errors and rejected requests of all runs."""
        runs = self.runs.values()
        requests, errors, rejected = self.base
        return (
            requests + sum(one.requests for one in runs),
            errors + sum(one.errors for one in runs),
            rejected + sum(one.rejected for one in runs),
        )

    def latency(self, release: str | None = None) -> dict[int, int]:
        """Return the counts by bucket.

        Args:
            release: Count runs of this release alone; None for all, the folded ones among them.
        """
        found = dict(self.base_latency) if release is None else {}
        for one in self.runs.values():
            if release is None or one.release == release:
                for bucket, count in one.latency:
                    found[bucket] = found.get(bucket, 0) + count
        return found

    def merge(self, message: Heartbeat, now: float) -> bool:
        """Take what a message has that is new; return whether it had something.

        Args:
            now: Its arrival at the broker, or here where the broker does not tell it.

        Raises:
            BadMessage: when it cannot be of this board; nothing of it is taken then.
        """
        last = self.last
        if last is not None and not is_silent(self.heard, last.every_s, now):
            same = (message.series, message.start) == (last.series, last.start)
            if same and message.boot != last.boot:
                raise BadMessage(TAKEN)
        fresh = self._fresh(message.runs)
        newer = self._is_newer(message, now, bool(fresh))
        for one in reversed(fresh):  # the oldest first, so that it is folded first
            self.runs[one.run] = one
            self.changed.add(one.run)
        if newer:
            self.heard = now
            self.last = replace(message, runs=())
        self._fold()
        return newer or bool(fresh)

    def _fresh(self, runs: Iterable[RunTotals]) -> list[RunTotals]:
        """Return the looks that are later than the known ones."""
        found = []
        for one in runs:
            known = self.runs.get(one.run)
            if one.run in self.folded or (known is not None and one.seq <= known.seq):
                continue
            if known is not None and _went_back(known, one):
                raise BadMessage(BACK)
            found.append(one)
        return found

    def _is_newer(self, message: Heartbeat, now: float, fresh: bool) -> bool:
        """Return whether a message is newer than the last one, by numbers and never by its clock.

        A board that lost its files begins another series, with looks that are new. One
        with restored files counts from a smaller number: it is believed when nothing newer was
        heard for three intervals.

        Args:
            fresh: Whether it has such looks.
        """
        last = self.last
        if last is None:
            return True
        if message.series != last.series:
            return fresh or is_silent(self.heard, last.every_s, now)
        if (message.start, message.seq) > (last.start, last.seq):
            return True
        again = (message.start, message.seq) == (last.start, last.seq)
        return not again and is_silent(self.heard, last.every_s, now)

    def _fold(self) -> None:
        """Keep the newest runs one by one, and of the others the sum."""
        while len(self.runs) > MOST_RUNS:
            one = self.runs.pop(next(iter(self.runs)))
            requests, errors, rejected = self.base
            self.base = (requests + one.requests, errors + one.errors, rejected + one.rejected)
            for bucket, count in one.latency:
                self.base_latency[bucket] = self.base_latency.get(bucket, 0) + count
            self.folded[one.run] = None
            self.changed.add(one.run)
        while len(self.folded) > MOST_FOLDED:
            gone = next(iter(self.folded))
            del self.folded[gone]
            self.changed.add(gone)


def _went_back(before: RunTotals, after: RunTotals) -> bool:
    pairs = (
        (before.requests, after.requests),
        (before.errors, after.errors),
        (before.rejected, after.rejected),
    )
    return any(new < old for old, new in pairs)
