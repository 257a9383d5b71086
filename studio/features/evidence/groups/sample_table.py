"""The table of a measurement by sample, from which every figure can be computed again."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.api import InvalidData
from studio.lazy_dataclass import dataclass

Floats = NDArray[numpy.float64]

GROUP = "group:"
"""Prefix of a column of groups."""

CROSS = "*"
"""Sign between the columns of an intersection."""

MOST_BYTES = 256 << 20
"""Size of a table that is read."""

_PLAIN = ("sample", "value", "against", "label", "answer", "confidence", "probabilities")
_LONGEST = 1 << 20
_GUARD = "'"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", _GUARD)
"""First characters of a formula in spreadsheets. Such a text gets a quote in front."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """The answer of a model to one sample.

    Attributes:
        sample: Name of the sample; unique in a table.
        value: The metric's figure of the sample; higher is better, such as 0 or 1.
        label, answer: The right answer and the model's, as texts.
        confidence: Probability of the model's answer (0 to 1); None where it is not known.
        probabilities: Probability of each class; empty where it is not known.
        against: The figure of another variant for the same sample; None without one.
        groups: Group of the sample by column; a sample of no group lacks the column.
    """

    sample: str
    value: float
    label: str = ""
    answer: str = ""
    confidence: float | None = None
    probabilities: tuple[float, ...] = ()
    against: float | None = None
    groups: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SampleTable:
    """Rows of a measurement, one a sample, in the order of the data.

    Attributes:
        columns: Names of the columns of groups.
        declared: Groups without any sample, by column; they stay in the report.
    """

    rows: tuple[SampleRow, ...]
    columns: tuple[str, ...] = ()
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def values(self) -> Floats:
        """The figure of each sample."""
        return numpy.array([row.value for row in self.rows], numpy.float64)

    @property
    def against(self) -> Floats | None:
        """The figures of the other variant; None without one."""
        found = [row.against for row in self.rows if row.against is not None]
        return numpy.array(found, numpy.float64) if found and len(found) == len(self.rows) else None

    def groups_of(self, column: str) -> tuple[str | None, ...]:
        """Return the group of each sample in a column; None for a sample of no group.

        A column such as ``script*blur`` is the intersection of both.
        """
        parts = column.split(CROSS)
        return tuple(_crossed(row, parts) for row in self.rows)

    def levels(self, column: str) -> tuple[str, ...]:
        """Return all groups of a column in their order, those without a sample included."""
        crossed = [""]
        for index, part in enumerate(column.split(CROSS)):
            known = self._levels(part)
            crossed = [
                f"{left} {CROSS} {one}" if index else one for left in crossed for one in known
            ]
        return tuple(crossed)

    def _levels(self, column: str) -> list[str]:
        found = {row.groups[column] for row in self.rows if column in row.groups}
        return sorted(found | set(self.declared.get(column, ())), key=natural)

    def write(self, file: Path) -> None:
        """Write the table as CSV; equal tables give equal bytes."""
        file.write_bytes(self.to_csv().encode())

    def to_csv(self) -> str:
        """Return the table as CSV.

        Floats have the shortest digits that give the same float again. A row without a sample
        declares groups that have none.
        """
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*_PLAIN, *(GROUP + one for one in self.columns)])
        writer.writerows(_cells(row, self.columns) for row in self.rows)
        for column, names in self.declared.items():
            for name in names:
                filled = [_guarded(name) if one == column else "" for one in self.columns]
                writer.writerow([*("" for _ in _PLAIN), *filled])
        return text.getvalue()

    @classmethod
    def read(cls, file: Path) -> SampleTable:
        """Read a table that was written before.

        Raises:
            InvalidData: in one sentence, for a file that is no such table.
        """
        try:
            if file.stat().st_size > MOST_BYTES:
                raise InvalidData(f"{file.name} is larger than {MOST_BYTES >> 20} MB.")
            return cls.of_csv(file.read_bytes().decode("utf-8"), file.name)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidData(f"{file.name} cannot be read.", detail=str(error)) from None

    @classmethod
    def of_csv(cls, text: str, name: str = "The table") -> SampleTable:
        """Read a table from CSV.

        Raises:
            InvalidData: in one sentence, for a text that is no such table, a wrong number, or a
                sample that occurs twice.
        """
        lines = _lines(text, name)
        head = lines[0] if lines else []
        if tuple(head[: len(_PLAIN)]) != _PLAIN:
            raise InvalidData(f"{name} is no table of samples: its first line has other columns.")
        columns = tuple(one.removeprefix(GROUP) for one in head[len(_PLAIN) :])
        rows: dict[str, SampleRow] = {}
        declared: dict[str, tuple[str, ...]] = {}
        for number, cells in enumerate(lines[1:], 2):
            if len(cells) != len(head):
                raise InvalidData(
                    f"{name} has {len(cells)} cells in row {number}, not {len(head)}."
                )
            given = zip(columns, map(_unguarded, cells[len(_PLAIN) :]), strict=True)
            groups = {column: group for column, group in given if group}
            if not cells[0]:
                for column, group in groups.items():
                    declared[column] = (*declared.get(column, ()), group)
                continue
            if cells[0] in rows:
                raise InvalidData(f"{name} has the sample {cells[0][:60]!r} more than once.")
            rows[cells[0]] = _row(cells, groups, f"{name}, row {number}")
        return cls(tuple(rows.values()), columns, declared)


def natural(text: str) -> tuple[bool, float, str]:
    """Return a key for sorting by the number that a text begins with, then by the text."""
    try:
        number = float(text.partition(" ")[0])
    except ValueError:
        number = math.inf
    return not math.isfinite(number), number if math.isfinite(number) else 0.0, text


def _crossed(row: SampleRow, parts: Sequence[str]) -> str | None:
    if any(part not in row.groups for part in parts):
        return None
    return f" {CROSS} ".join(row.groups[part] for part in parts)


def _cells(row: SampleRow, columns: Sequence[str]) -> list[str]:
    return [
        _guarded(row.sample),
        repr(float(row.value)),
        "" if row.against is None else repr(float(row.against)),
        _guarded(row.label),
        _guarded(row.answer),
        "" if row.confidence is None else repr(float(row.confidence)),
        " ".join(repr(float(one)) for one in row.probabilities),
        *(_guarded(row.groups.get(one, "")) for one in columns),
    ]


def _row(cells: Sequence[str], groups: Mapping[str, str], place: str) -> SampleRow:
    sample, value, against, label, answer, confidence, probabilities = cells[: len(_PLAIN)]
    return SampleRow(
        _unguarded(sample),
        _number(value, place),
        _unguarded(label),
        _unguarded(answer),
        _number(confidence, place) if confidence else None,
        tuple(_number(one, place) for one in probabilities.split()),
        _number(against, place) if against else None,
        groups,
    )


def _guarded(text: str) -> str:
    return _GUARD + text if text.startswith(_FORMULA) else text


def _unguarded(text: str) -> str:
    return text.removeprefix(_GUARD)


def _number(text: str, place: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidData(f"{place}: {text[:40]!r} is no number.")
    return number


def _lines(text: str, name: str) -> list[list[str]]:
    # The limit belongs to the process: other readers keep theirs.
    before = csv.field_size_limit(_LONGEST)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise InvalidData(f"{name} is not readable as CSV.", detail=str(error)) from None
    finally:
        csv.field_size_limit(before)
