"""The report of a table of samples: every group with its interval, the worst one, calibration.

It is a function of the table and the seed alone, so a report can be computed again from its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy
from numpy.typing import NDArray

from studio.api import InvalidData, UsageError
from studio.features.evidence.groups.calibration import calibration, expected_error
from studio.features.evidence.groups.differences import difference, holm, paired_difference
from studio.features.evidence.groups.intervals import mean_interval
from studio.features.evidence.groups.results import (
    GroupCell,
    GroupColumn,
    GroupReport,
    MeanDifference,
    WorstGroup,
)
from studio.features.evidence.groups.sample_table import CROSS, Floats, SampleTable

Mask = NDArray[numpy.bool_]

LEAST = 5
"""Fewest samples of a group that can be the worst one."""

MOST_GROUPS = 200
"""Most groups of a column: more of them are names of samples."""


def measure(
    table: SampleTable, seed: int = 0, by: Sequence[str] = (), least: int = LEAST
) -> GroupReport:
    """Return quality by group.

    Args:
        seed: Of the bootstrap and of the permutation tests.
        by: Columns of the table, or intersections such as ``script*blur``; by default each column.
        least: Fewest samples of a group that can be the worst one.

    Raises:
        InvalidData: for a table without samples, or a column of too many groups.
        UsageError: for a column that the table lacks.
    """
    if not table.rows:
        raise InvalidData("The table has no samples.")
    chosen = tuple(dict.fromkeys(by or table.columns))
    view = _View(table, seed)
    overall = view.cell("", "all samples", numpy.ones(len(table.rows), bool))
    cells = [cell for column in chosen for cell in _column_cells(view, column)]
    cells = _adjusted(cells)
    return GroupReport(
        overall=overall,
        columns=tuple(_described(table, column) for column in chosen),
        groups=tuple(cells),
        worst_group=_worst(cells, overall, least, view.binary),
        calibration=calibration(table, seed),
        seed=seed,
        least=least,
    )


class _View:
    """The columns of a table as arrays."""

    def __init__(self, table: SampleTable, seed: int) -> None:
        self.table, self.seed = table, seed
        self.values, self.against = table.values, table.against
        self.binary = bool(numpy.isin(self.values, (0, 1)).all())
        known = [row.confidence for row in table.rows if row.confidence is not None]
        whole = len(known) == len(table.rows)
        self._confidence = numpy.array(known, numpy.float64) if whole else None
        self._right = numpy.array([row.answer == row.label for row in table.rows], numpy.float64)

    def cell(self, column: str, group: str, mask: Mask, others: Mask | None = None) -> GroupCell:
        """Return the figures of the samples of a mask; ``others`` are compared with them."""
        values = self.values[mask]
        interval = mean_interval(values, self.seed)
        return GroupCell(
            column=column,
            group=group,
            samples=len(values),
            value=float(values.mean()) if len(values) else None,
            low=interval.low,
            high=interval.high,
            method=interval.method,
            rest=None if others is None else self._rest(values, others),
            against=self._against(mask),
            ece=self._error(mask),
        )

    def _rest(self, values: Floats, others: Mask) -> MeanDifference | None:
        found = difference(values, self.values[others], self.seed)
        return None if found.value is None else found

    def _against(self, mask: Mask) -> MeanDifference | None:
        if self.against is None or not mask.any():
            return None
        return paired_difference(self.values[mask], self.against[mask], self.seed)

    def _error(self, mask: Mask) -> float | None:
        if self._confidence is None or not mask.any():
            return None
        return expected_error(self._confidence[mask], self._right[mask])


def _column_cells(view: _View, column: str) -> list[GroupCell]:
    _check_known(view.table, column)
    groups = numpy.array([one or "" for one in view.table.groups_of(column)], object)
    levels = view.table.levels(column)
    if len(levels) > MOST_GROUPS:
        raise InvalidData(
            f"{column!r} has {len(levels):,} groups; at most {MOST_GROUPS} are compared.",
            hint="Group numbers in bands: --by COLUMN:3.",
        )
    member = groups != ""
    return [view.cell(column, one, groups == one, member & (groups != one)) for one in levels]


def _check_known(table: SampleTable, column: str) -> None:
    for part in column.split(CROSS):
        if part not in table.columns:
            known = ", ".join(table.columns) or "none"
            raise UsageError(f"The samples have no groups {part!r}.", hint=f"Known: {known}.")


def _adjusted(cells: Sequence[GroupCell]) -> list[GroupCell]:
    """Return the cells with the p-values of both comparisons adjusted, each over all groups."""
    rest = holm([cell.rest.p if cell.rest else None for cell in cells])
    against = holm([cell.against.p if cell.against else None for cell in cells])
    return [
        replace(
            cell,
            rest=replace(cell.rest, p_adjusted=one) if cell.rest else None,
            against=replace(cell.against, p_adjusted=other) if cell.against else None,
        )
        for cell, one, other in zip(cells, rest, against, strict=True)
    ]


def _described(table: SampleTable, column: str) -> GroupColumn:
    without = sum(one is None for one in table.groups_of(column))
    return GroupColumn(column, len(table.levels(column)), without)


def _worst(
    cells: Sequence[GroupCell], overall: GroupCell, least: int, binary: bool
) -> WorstGroup | None:
    """Return the group of the lowest mean; of equal ones that with the most samples."""
    usable = [(one.value, -one.samples, one) for one in cells if one.samples >= least]
    known = [(value, size, one) for value, size, one in usable if value is not None]
    if not known or overall.value is None:
        return None
    value, _, cell = min(known, key=lambda one: one[:2])
    below = cell.rest is not None and (cell.rest.value or 0) < 0
    return WorstGroup(
        column=cell.column,
        group=cell.group,
        samples=cell.samples,
        value=value,
        accuracy=value if binary else None,
        low=cell.low,
        high=cell.high,
        significant=below and cell.rest is not None and cell.rest.is_significant,
        gap=overall.value - value,
    )
