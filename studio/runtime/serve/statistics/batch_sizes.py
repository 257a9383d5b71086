"""Runs of a model by the number of rows in them, in memory that does not grow with the traffic."""

from __future__ import annotations

from typing import Dict, Iterator, NamedTuple

import numpy as np

_EXACT = 128
"""Numbers of rows up to this are counted apart; clients may send any number."""


class BatchCount(NamedTuple):
    """Count of the runs of one batch size, and their time by phase, in seconds."""

    rows: int
    runs: int
    compute_input: float
    compute_infer: float
    compute_output: float


def size_of(rows: np.ndarray) -> np.ndarray:
    """Return the number that runs are counted by: their rows, beyond 128 the next power of two."""
    rows = np.maximum(rows, 1)
    power = np.exp2(np.ceil(np.log2(rows)))
    sizes: np.ndarray = np.where(rows <= _EXACT, rows, power).astype(np.int64)
    return sizes


class BatchStatistics:
    """Counts and times for each size of batch."""

    def __init__(self) -> None:
        self._sums: Dict[int, np.ndarray] = {}

    def record(self, rows: np.ndarray, runs: np.ndarray, seconds: np.ndarray) -> None:
        """Count runs.

        Args:
            rows: In each run of an entry, of shape (n,).
            runs: Number with these rows, of shape (n,).
            seconds: Of shape (n, 3): for input, inference and output of an entry's runs.
        """
        sizes = size_of(rows)
        table = np.column_stack((runs, seconds))
        for size in np.unique(sizes).tolist():
            found = table[sizes == size].sum(axis=0)
            self._sums[size] = self._sums.get(size, 0.0) + found

    def __iter__(self) -> Iterator[BatchCount]:
        for size, (runs, *seconds) in sorted(self._sums.items()):
            yield BatchCount(size, int(runs), *[float(part) for part in seconds])
