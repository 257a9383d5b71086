"""Rows of features from a CSV file, as samples of a model with one input."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy

from studio.api import Array, InvalidData, Sample, Value
from studio.datasets.fit import conform

SUFFIX = ".csv"
_MOST_BYTES = 64 << 20
_MOST_ROWS = 1_000_000


class RowsFile:
    """The rows of a CSV file with a line of names.

    Attributes:
        names: Of the features, in the order of the input.
    """

    def __init__(self, path: Path, inputs: Sequence[Value], names: Sequence[str] = ()) -> None:
        """Read the file.

        Args:
            names: Columns of the features; empty: all columns.

        Raises:
            InvalidData: when the file cannot be read, or does not fit the model.
        """
        if len(inputs) != 1:
            raise InvalidData(
                f"{path.name} has rows for one input, and the model has {len(inputs)}.",
                hint="Use an .npz file with one array for each input.",
            )
        self._input = inputs[0]
        head, rows = _read(path)
        self.names = tuple(names) or tuple(head)
        missing = [name for name in self.names if name not in head]
        if missing:
            raise InvalidData(f"{path.name} has no column {missing[0][:40]!r}.")
        columns = [head.index(name) for name in self.names]
        self._rows = _numbers(path.name, rows, columns, self.names)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Sample]:
        return map(self.sample, range(len(self)))

    def sample(self, number: int) -> Sample:
        """Return one row.

        Raises:
            InvalidData: when it does not fit the input, or has a value that is no number.
        """
        name = f"#{number}"
        array: Array = self._rows[number][None].astype(numpy.float32)
        return Sample({self._input.name: conform(array, self._input, name)}, None, name)

    def spread(self, most: int) -> tuple[Sample, ...]:
        """Return complete rows, spread evenly."""
        whole = numpy.flatnonzero(numpy.isfinite(self._rows).all(axis=1))
        step = -(-len(whole) // most) or 1
        return tuple(self.sample(int(number)) for number in whole[::step])


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidData(f"{path.name} is larger than {_MOST_BYTES >> 20} MB.")
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidData(f"{path.name} cannot be read as CSV: {error}.") from None
    if len(lines) < 2 or len(lines) > _MOST_ROWS:
        raise InvalidData(f"{path.name} has no rows below its line of names, or too many.")
    head = [name.strip() for name in lines[0]]
    if len(set(head)) < len(head):
        raise InvalidData(f"{path.name} has two columns of one name.")
    return head, lines[1:]


def _numbers(
    name: str, rows: Sequence[Sequence[str]], columns: Sequence[int], names: Sequence[str]
) -> numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]:
    found = numpy.empty((len(rows), len(columns)))
    for number, row in enumerate(rows):
        for place, column in enumerate(columns):
            try:
                found[number, place] = float(row[column])
            except (ValueError, IndexError):
                raise InvalidData(
                    f"Row {number} of {name} has no number in the column {names[place][:40]!r}."
                ) from None
    return found
