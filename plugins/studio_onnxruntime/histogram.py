"""The distribution of a tensor's values, gathered in constant memory, and ranges read from it."""

from __future__ import annotations

import math

import numpy
from numpy.typing import NDArray

Range = tuple[float, float]
"""Lowest and highest value that is represented."""

BINS = 8192
"""Even, and at least twice as fine as 8 bits need after a doubling."""

_LEVELS = 128
_COARSE = 2048


class Histogram:
    """Counts in equal bins over a range around zero that doubles when a value falls outside.

    When the range doubles, neighbouring bins are added up, so that the memory is the same
    whatever the number and the size of the values.

    Attributes:
        low, high: The exact extremes seen so far.
        counts: For each bin from -limit to limit.
    """

    def __init__(self, bins: int = BINS) -> None:
        self.counts: NDArray[numpy.int64] = numpy.zeros(bins, numpy.int64)
        self.limit = 0.0
        self.low = math.inf
        self.high = -math.inf
        self._zeros = 0

    def add(self, values: NDArray[numpy.generic]) -> None:
        """Count the values; those that are not finite are left out."""
        flat = numpy.asarray(values, dtype=numpy.float32).ravel()
        low, high = float(flat.min(initial=math.inf)), float(flat.max(initial=-math.inf))
        if not (math.isfinite(low) and math.isfinite(high)):
            flat = flat[numpy.isfinite(flat)]
            low, high = float(flat.min(initial=math.inf)), float(flat.max(initial=-math.inf))
        if not flat.size:
            return
        self.low, self.high = min(self.low, low), max(self.high, high)
        largest = max(abs(low), abs(high))
        if largest == 0:
            self._zeros += flat.size
            return
        self._reach(largest)
        bins = len(self.counts)
        scale = bins / (2 * self.limit)
        index = ((flat.astype(numpy.float64) + self.limit) * scale).astype(numpy.int64)
        self.counts += numpy.bincount(index.clip(0, bins - 1), minlength=bins)

    def _reach(self, largest: float) -> None:
        """Double the range until it holds a value."""
        if self.limit == 0:
            self.limit = largest
        quarter = len(self.counts) // 4
        while self.limit < largest:
            pairs = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = numpy.pad(pairs, quarter)
            self.limit *= 2

    @property
    def total(self) -> int:
        """Number of values counted."""
        return int(self.counts.sum()) + self._zeros

    def extremes(self) -> Range:
        """The whole range; nothing is cut off."""
        return (self.low, self.high) if self.total else (0.0, 0.0)

    def occupied(self) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
        """Centres of the bins that are not empty, within the extremes, and their counts."""
        counts = self._with_zeros()
        present = numpy.flatnonzero(counts)
        centres = (2 * present + 1 - len(counts)) * (self.limit / len(counts))
        return centres.clip(self.low, self.high), counts[present].astype(numpy.float64)

    def percentile(self, share: float, floor: float = -math.inf) -> Range:
        """The range that holds this share of the values, the rest cut off evenly at both ends.

        Args:
            share: In percent.
            floor: Values below it count as being it, as they do behind a Relu (at zero).
        """
        if not self.total or self.limit == 0:
            return self.extremes()
        cumulative = numpy.cumsum(self._with_zeros())
        cut = (100 - share) / 200 * cumulative[-1]
        edges = numpy.linspace(-self.limit, self.limit, len(self.counts) + 1)
        first = int(numpy.searchsorted(cumulative, cut, side="right"))
        last = int(numpy.searchsorted(cumulative, cumulative[-1] - cut, side="left"))
        low, high = max(self.low, float(edges[first])), min(self.high, float(edges[last + 1]))
        return max(low, floor), max(high, floor)

    def entropy(self) -> Range:
        """The symmetric cut that keeps most information (least Kullback-Leibler divergence).

        The distribution of magnitudes is compared with itself in 128 levels, for many thresholds,
        as described by S. Migacz, "8-bit inference with TensorRT" (GTC 2017).
        """
        if not self.total or self.limit == 0:
            return self.extremes()
        counts = self._with_zeros()
        half = len(counts) // 2
        fine = counts[half:] + counts[:half][::-1]
        magnitudes = fine.reshape(min(_COARSE, half), -1).sum(axis=1).astype(numpy.float64)
        # Exact zeros cost nothing in any format, but their peak would drown everything else.
        magnitudes[0] = magnitudes[1]
        ends = range(_LEVELS, len(magnitudes) + 1, _LEVELS // 16)
        best = min(ends, key=lambda end: _divergence(magnitudes, end))
        threshold = self.limit * best / len(magnitudes)
        return max(self.low, -threshold), min(self.high, threshold)

    def _with_zeros(self) -> NDArray[numpy.int64]:
        counts = self.counts.copy()
        counts[len(counts) // 2] += self._zeros
        return counts


def _divergence(magnitudes: NDArray[numpy.float64], end: int) -> float:
    """How far the magnitudes, clipped at a bin, are from their form in few levels."""
    kept = magnitudes[:end].copy()
    present = kept > 0
    kept[-1] += magnitudes[end:].sum()
    level = numpy.arange(end) * _LEVELS // end
    sums = numpy.bincount(level, weights=magnitudes[:end], minlength=_LEVELS)
    filled = numpy.bincount(level, weights=present, minlength=_LEVELS)
    coarse = numpy.where(present, sums[level] / numpy.maximum(filled[level], 1), 0)
    if not coarse.sum() or not kept.sum():
        return math.inf
    p, q = kept / kept.sum(), coarse / coarse.sum()
    if ((p > 0) & (q == 0)).any():
        q = (q + 1e-12) / (q + 1e-12).sum()
    return float((p[p > 0] * numpy.log(p[p > 0] / q[p > 0])).sum())
