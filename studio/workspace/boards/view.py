"""Snapshots of many boards: filtered, ordered and summed, with the columns that are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.lazy_dataclass import dataclass
from studio.monitoring.boards.changes import read
from studio.monitoring.boards.record import BoardRecord
from studio.monitoring.boards.results import GroupFigures
from studio.monitoring.boards.table import STATES as STATES
from studio.monitoring.boards.table import BoardFilter, BoardTable
from studio.registry.names import natural_order

FIXED_GROUPS = ("release", "model", "state")
"""Groups besides those of labels."""

_SHARES = (0.5, 0.95)
_PIECE = 500


@dataclass(frozen=True, slots=True)
class BoardTexts:
    """Texts of one board, as it has sent them.

    Attributes:
        clock_s: Difference of its own clock to this computer's, in seconds.
    """

    name: str
    model: str = ""
    version: str = ""
    release: str = ""
    labels: Mapping[str, str] | None = None
    alerts: tuple[str, ...] = ()
    clock_s: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class BoardsSnapshot:
    """Boards at one time, as they are shown; the arrays are never changed.

    Attributes:
        rows: Number of each selected board, worst first; a board keeps its number.
        columns: ``state, requests, errors, heard, memory_mb, celsius, p50, p95`` of these rows.
        texts: Texts of all boards by their numbers.
        known: Number of all boards.
        heard: Newest arrival of all; 0 without one.
        at: Its time; both in seconds since 1970.
    """

    rows: NDArray[np.intp]
    columns: Mapping[str, NDArray[Any]]
    texts: Sequence[BoardTexts]
    selected: GroupFigures
    groups: Sequence[GroupFigures]
    group: str
    known: int
    heard: float
    at: float
    label_names: Sequence[str]


class SnapshotBuilder:
    """Boards of a broker, for one thread alone."""

    def __init__(self) -> None:
        self.table = BoardTable()
        self._texts: list[BoardTexts] = []
        self._latencies = np.full((256, len(_SHARES)), np.nan)
        self._names = np.zeros(0, np.intp)
        self._keys: list[str] = []
        self._heard = 0.0

    def take(self, text: str) -> list[BoardRecord]:
        """Return the boards of a message, for ``put``.

        Raises:
            ValueError: when it is no message of changed boards.
        """
        return read(text)

    def put(self, records: Sequence[BoardRecord]) -> None:
        """Take the state of some boards."""
        for one in records:
            self.table.update(one)
            last, row = one.last, self.table.row_of(one.name)
            assert last is not None
            texts = BoardTexts(
                one.name,
                last.model,
                last.version,
                last.release,
                last.labels,
                last.alerts,
                round(last.at - one.heard, 1),
            )
            self._heard = max(self._heard, one.heard)
            if row == len(self._texts):
                self._texts.append(texts)
            else:
                self._texts[row] = texts

    def snapshot(self, wanted: BoardFilter, group: str, now: float) -> BoardsSnapshot:
        """Return what is shown for a filter and groups.

        Args:
            group: ``release``, ``model``, ``state`` or the name of a label.
            now: The clock of this computer.
        """
        self._measure()
        table = self.table
        mask = table.select(wanted, now)
        rows = table.worst_first(mask, now, self._names)
        columns = table.columns_of(rows, now)
        columns["p50"], columns["p95"] = self._latencies[rows].T
        return BoardsSnapshot(
            rows=rows,
            columns=columns,
            texts=self._texts,
            selected=table.figures(mask, now),
            groups=table.groups(group, mask, now),
            group=group,
            known=len(table),
            heard=self._heard,
            at=now,
            label_names=table.label_names,
        )

    def _measure(self) -> None:
        """Work out latencies of the boards that have changed, and the order of new names."""
        changed = [self.table.row_of(name) for name in self.table.take_changes()]
        count = len(self.table)
        if count > len(self._latencies):
            grown = np.full((2 * count, len(_SHARES)), np.nan)
            grown[: len(self._latencies)] = self._latencies
            self._latencies = grown
        for first in range(0, len(changed), _PIECE):
            rows = np.array(changed[first : first + _PIECE], np.intp)
            self._latencies[rows] = self.table.latencies(rows, _SHARES)
        if count != len(self._names):
            self._keys += map(natural_order, self.table.names[len(self._keys) :])
            self._names = np.empty(count, np.intp)
            self._names[sorted(range(count), key=self._keys.__getitem__)] = np.arange(count)
