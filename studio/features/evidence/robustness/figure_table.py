"""The table of a measurement on corrupted samples, from which its figures can be computed again."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy
from numpy.typing import NDArray

Floats = NDArray[numpy.float64]

CLEAN = "clean"


class FigureTable:
    """The metric's figure of each sample, clean and under each corruption.

    Args:
        clean: Of the clean samples, in the order of the data.
    """

    def __init__(self, clean: Floats) -> None:
        self.clean = clean
        self._columns: dict[str, Floats] = {CLEAN: clean}

    def add(self, corruption: str, severity: int, values: Floats) -> Floats:
        """Add the figures of a corruption; returns them."""
        self._columns[column(corruption, severity)] = values
        return values

    def of(self, corruption: str, severity: int) -> Floats:
        """Return the figures of a corruption.

        Raises:
            KeyError: when the table lacks it.
        """
        return self._columns[column(corruption, severity)]

    def write(self, file: Path) -> None:
        """Write the table as CSV, a row for each sample; equal tables give equal bytes."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self._columns)
        writer.writerows(
            zip(*(map(repr, one.tolist()) for one in self._columns.values()), strict=True)
        )
        file.write_bytes(text.getvalue().encode())

    @classmethod
    def read(cls, text: str) -> FigureTable:
        """Read a table from CSV.

        Raises:
            ValueError: when it is no such table.
        """
        head, *rows = csv.reader(io.StringIO(text))
        values = numpy.array(rows, numpy.float64)
        if head[:1] != [CLEAN] or values.ndim != 2 or values.shape[1] != len(head):
            raise ValueError("no table of corrupted samples")
        found = cls(values[:, 0])
        found._columns = {name: values[:, place] for place, name in enumerate(head)}
        return found


def column(corruption: str, severity: int) -> str:
    """Return the name of a corruption's column."""
    return f"{corruption}:{severity}"
