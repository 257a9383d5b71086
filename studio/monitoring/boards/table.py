"""Many boards as columns: filtered, grouped and summed in milliseconds, updated row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.lazy_dataclass import dataclass
from studio.monitoring.boards.columns import CodedColumn
from studio.monitoring.boards.message import BUCKETS, lowest_of
from studio.monitoring.boards.record import BoardRecord
from studio.monitoring.boards.results import GroupFigures

MOST_LABELS = 64
"""Names of labels in all; boards that bring more of them are kept without."""

RELEASE, MODEL, STATE, ALERT = "release", "model", "state", "alert"
SILENT, NOT_READY, ALERTING, GOOD = "silent", "not ready", "alerting", "good"
STATES = (GOOD, ALERTING, NOT_READY, SILENT)
"""States of a board, the first that holds from the right."""

NONE, OTHERS = "(none)", "(others)"
"""Groups of the boards without a value, and of those in small groups."""

MOST_GROUPS = 50

_SHARES = (0.5, 0.9, 0.95, 0.99)
_SILENT_INTERVALS, _SILENT_S = 3.0, 30.0
_NUMBERS = ("memory_mb", "celsius")
_LOW, _HIGH = np.array([lowest_of(bucket) for bucket in range(BUCKETS)]).T
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """Which boards are shown; an empty filter shows all.

    Attributes:
        labels: Values by the name of a label.
        states: Some of ``STATES``.
        name: Text that the name contains, in any case.
    """

    labels: Mapping[str, str] | None = None
    release: str = ""
    model: str = ""
    states: tuple[str, ...] = ()
    alert: str = ""
    name: str = ""


class BoardTable:
    """Rows of boards; the work of an update does not depend on their number.

    Attributes:
        names: Of the rows.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._rows: dict[str, int] = {}
        self._changed: set[int] = set()
        self._labels: dict[str, CodedColumn] = {}
        self._release, self._model = CodedColumn(), CodedColumn()
        self._alerts: dict[str, Mask] = {}
        self._columns: dict[str, NDArray[Any]] = {}
        self._make_room(256)

    def __len__(self) -> int:
        return len(self.names)

    def _make_room(self, rows: int) -> None:
        kinds: dict[str, Any] = {"counts": np.int64, "latency": np.uint32, "heard": np.float64}
        kinds.update(every=np.float64, ready=np.bool_, drift=np.bool_, facts=np.float64)
        kinds.update(alerting=np.bool_)
        widths = {"counts": 3, "latency": BUCKETS, "facts": len(_NUMBERS)}
        for name, kind in kinds.items():
            shape = (rows, widths[name]) if name in widths else (rows,)
            self._columns[name] = _grown(self._columns.get(name), shape, kind)
        for name, mask in self._alerts.items():
            self._alerts[name] = _grown(mask, (rows,), np.bool_)
        for column in (self._release, self._model, *self._labels.values()):
            column.make_room(rows)

    def update(self, record: BoardRecord) -> None:
        """Take the state of a board."""
        last = record.last
        if last is None:
            return
        row = self._row(record.name)
        columns = self._columns
        columns["counts"][row] = record.totals
        columns["latency"][row] = 0
        served = record.latency(last.release)
        if served:
            places = list(served)
            counts = np.minimum(list(served.values()), np.iinfo(np.uint32).max)
            columns["latency"][row, places] = counts
        columns["heard"][row] = record.heard
        columns["every"][row] = last.every_s
        columns["ready"][row] = last.ready
        columns["drift"][row] = bool(last.drift)
        columns["alerting"][row] = bool(last.alerts)
        columns["facts"][row] = [_number(last.facts.get(name)) for name in _NUMBERS]
        self._release.put(row, last.release)
        self._model.put(row, last.model)
        self._put_alerts(row, last.alerts)
        self._put_labels(row, last.labels)
        self._changed.add(row)

    def _row(self, name: str) -> int:
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = len(self.names)
            self.names.append(name)
            if row >= len(self._columns["heard"]):
                self._make_room(2 * row)
        return row

    def _put_alerts(self, row: int, alerts: Sequence[str]) -> None:
        for one in alerts:
            if one not in self._alerts and len(self._alerts) < MOST_LABELS:
                self._alerts[one] = np.zeros(len(self._columns["heard"]), np.bool_)
        for name, mask in self._alerts.items():
            mask[row] = name in alerts

    def _put_labels(self, row: int, labels: Mapping[str, str]) -> None:
        for name in labels:
            if name not in self._labels and len(self._labels) < MOST_LABELS:
                self._labels[name] = CodedColumn(len(self._columns["heard"]))
        for name, column in self._labels.items():
            column.put(row, labels.get(name, ""))

    def take_changes(self) -> set[str]:
        """Return the boards that were updated since the last call."""
        rows, self._changed = self._changed, set()
        return {self.names[row] for row in rows}

    # Questions

    def select(self, wanted: BoardFilter, now: float) -> Mask:
        """Return a mask of the rows that pass a filter.

        Args:
            now: The clock of this computer.
        """
        count = len(self.names)
        mask = np.ones(count, np.bool_)
        for name, value in (wanted.labels or {}).items():
            column = self._labels.get(name)
            mask &= column.equals(value, count) if column is not None else value == ""
        for column, value in ((self._release, wanted.release), (self._model, wanted.model)):
            if value:
                mask &= column.begins(value, count)
        if wanted.alert:
            alert = self._alerts.get(wanted.alert)
            mask &= alert[:count] if alert is not None else False
        if wanted.states:
            mask &= np.isin(self._states(now), [STATES.index(one) for one in wanted.states])
        if wanted.name:
            part = wanted.name.casefold()
            mask &= np.fromiter((part in one.casefold() for one in self.names), np.bool_, count)
        return mask

    def boards(self, mask: Mask, first: int = 0, most: int = 100) -> list[str]:
        """Return names of selected boards in the order of their first messages."""
        rows = np.flatnonzero(mask)[first : first + most]
        return [self.names[row] for row in rows.tolist()]

    def state_of(self, name: str, now: float) -> str:
        """Return the state of one board."""
        row = self._rows[name]
        return STATES[int(self._states(now, slice(row, row + 1))[0])]

    def worst_first(self, mask: Mask, now: float, names: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the selected rows: silent ones first, then by alerts, then by name.

        Args:
            names: Place of each row in the order of the names.
        """
        rows = np.flatnonzero(mask)
        alerts = np.zeros(len(self.names), np.int16)
        for one in self._alerts.values():
            alerts += one[: len(self.names)]
        states = self._states(now)
        return rows[np.lexsort((names[rows], -alerts[rows], -states[rows]))]

    def columns_of(self, rows: NDArray[np.intp], now: float) -> dict[str, NDArray[Any]]:
        """Return copies of columns: ``state, requests, errors, heard, memory_mb, celsius``."""
        counts, facts = self._columns["counts"][rows], self._columns["facts"][rows]
        return {
            "state": self._states(now)[rows],
            "requests": counts[:, 0],
            "errors": counts[:, 1],
            "heard": self._columns["heard"][rows],
            **{name: facts[:, place] for place, name in enumerate(_NUMBERS)},
        }

    def latencies(self, rows: NDArray[np.intp], shares: Sequence[float]) -> NDArray[np.float64]:
        """Return percentiles of each row in milliseconds, NaN without requests.

        Args:
            rows: A few hundred at once, as their histograms are copied.
        """
        return row_percentiles(self._columns["latency"][rows], shares)

    def row_of(self, name: str) -> int:
        """Return the row of a board; it stays the same.

        Raises:
            KeyError: when the board is unknown.
        """
        return self._rows[name]

    @property
    def label_names(self) -> list[str]:
        """Names of the labels that boards have."""
        return list(self._labels)

    def figures(self, mask: Mask, now: float, group: str = "") -> GroupFigures:
        """Return the figures of the selected boards as one group."""
        return self._figures(group, np.flatnonzero(mask), self._states(now))

    def groups(
        self, by: str, mask: Mask, now: float, most: int = MOST_GROUPS
    ) -> list[GroupFigures]:
        """Return the figures of each group, the largest first.

        Args:
            by: ``release``, ``model``, ``state`` or the name of a label.
            most: Number of groups; the boards of all others are one more group.
        """
        states = self._states(now)
        count = len(self.names)
        if by == STATE:
            codes, texts = states.astype(np.int32), list(STATES)
        else:
            column = {RELEASE: self._release, MODEL: self._model}.get(by) or self._labels.get(by)
            if column is None:
                return [self._figures(NONE, np.flatnonzero(mask), states)] if mask.any() else []
            codes, texts = column.codes[:count], [one or NONE for one in column.texts]
        rows = np.flatnonzero(mask)
        order = rows[np.argsort(codes[rows], kind="stable")]
        cuts = np.flatnonzero(np.diff(codes[order])) + 1
        parts = [part for part in np.split(order, cuts) if len(part)]
        parts.sort(key=lambda part: (-len(part), texts[codes[part[0]]]))
        found = [self._figures(texts[codes[part[0]]], part, states) for part in parts[:most]]
        if len(parts) > most:
            found.append(self._figures(OTHERS, np.concatenate(parts[most:]), states))
        return found

    def _states(self, now: float, rows: slice | None = None) -> NDArray[np.int8]:
        part = slice(len(self.names)) if rows is None else rows
        columns = {name: column[part] for name, column in self._columns.items()}
        limit = _SILENT_INTERVALS * columns["every"] + _SILENT_S
        found = np.where(columns["alerting"], STATES.index(ALERTING), STATES.index(GOOD))
        found = np.where(columns["ready"], found, STATES.index(NOT_READY))
        found = np.where(now - columns["heard"] > limit, STATES.index(SILENT), found)
        return found.astype(np.int8)

    def _figures(
        self, group: str, rows: NDArray[np.intp], states: NDArray[np.int8]
    ) -> GroupFigures:
        columns = self._columns
        requests, errors, rejected = columns["counts"][rows].sum(axis=0).tolist()
        by_state = np.bincount(states[rows], minlength=len(STATES)).tolist()
        latency = columns["latency"][rows].sum(axis=0, dtype=np.int64)
        facts = columns["facts"][rows]
        return GroupFigures(
            group=group,
            boards=len(rows),
            states={name: count for name, count in zip(STATES, by_state, strict=True) if count},
            drifting=int(columns["drift"][rows].sum()),
            requests=requests,
            errors=errors,
            rejected=rejected,
            error_rate=errors / requests if requests else None,
            latency_ms=latency_percentiles(latency),
            of_boards={
                name: found
                for place, name in enumerate(_NUMBERS)
                if (found := _percentiles(facts[:, place]))
            },
        )


def latency_percentiles(counts: NDArray[np.int64]) -> dict[str, float]:
    """Return percentiles of a histogram in milliseconds, right to one bucket (5 %)."""
    total = int(counts.sum())
    if not total:
        return {}
    sums = np.cumsum(counts)
    found = {}
    for share in _SHARES:
        bucket = int(np.searchsorted(sums, share * total))
        low, high = lowest_of(bucket)
        inside = (share * total - (sums[bucket] - counts[bucket])) / counts[bucket]
        found[f"p{share * 100:.0f}"] = round(1000 * (low + (high - low) * float(inside)), 4)
    return found


def row_percentiles(counts: NDArray[np.uint32], shares: Sequence[float]) -> NDArray[np.float64]:
    """Return percentiles of histograms, a row each, in milliseconds (see latency_percentiles)."""
    sums = counts.cumsum(axis=1, dtype=np.int64)
    totals = sums[:, -1]
    found = np.full((len(counts), len(shares)), np.nan)
    known = np.flatnonzero(totals)
    for place, share in enumerate(shares):
        wanted = share * totals[known]
        bucket = (sums[known] < wanted[:, None]).sum(axis=1)
        here = counts[known, bucket].astype(np.float64)
        inside = (wanted - (sums[known, bucket] - here)) / np.maximum(here, 1.0)
        found[known, place] = 1000 * (_LOW[bucket] + (_HIGH[bucket] - _LOW[bucket]) * inside)
    return found


def _percentiles(values: NDArray[np.float64]) -> dict[str, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return {}
    found = np.quantile(known, _SHARES)
    return {
        f"p{share * 100:.0f}": round(float(v), 3) for share, v in zip(_SHARES, found, strict=True)
    }


def _grown(old: NDArray[Any] | None, shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    new: NDArray[Any] = np.zeros(shape, kind)
    if old is not None:
        new[: len(old)] = old
    return new


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
