"""The distribution of a tensor's values, gathered in constant memory, and ranges read from it."""

from __future__ import annotations

import math

import numpy
from numpy.typing import NDArray

from studio_onnxruntime.divergence import LEVELS, divergence

Range = tuple[float, float]
"""Lowest and highest value that is represented."""

BINS = 8192
"""Of the first sample's range; four times as fine as onnxruntime's."""

_MOST_BINS = 4 * BINS
_STEP = 16
"""The range grows by so many bins, so that as many can be taken as one."""
_TINY = 1e-30
"""Below it, bins are too narrow for single precision."""

_CHUNK = 2**16
"""Values that are counted at once, so that what is computed of them stays in the cache."""


class Histogram:
    """Counts in equal bins over a range around zero that grows when a value falls outside.

    The range grows by further bins of the same width, as onnxruntime's does, so that both read the
    same from it; beyond 32,768 bins neighbours are added up. So the memory has a bound whatever the
    number and the size of the values.

    Attributes:
        low, high: The exact extremes seen so far.
        counts: For each bin from -limit to limit.
    """

    def __init__(self) -> None:
        self.counts: NDArray[numpy.int64] = numpy.zeros(BINS, numpy.int64)
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
        for begin in range(0, flat.size, _CHUNK):
            self._count(flat[begin : begin + _CHUNK])

    def _count(self, values: NDArray[numpy.float32]) -> None:
        bins = len(self.counts)
        precise = numpy.dtype(numpy.float32 if self.limit > _TINY else numpy.float64)
        places = values.astype(precise, copy=False) * precise.type(bins / (2 * self.limit))
        places += bins / 2
        numpy.clip(places, 0, bins - 1, out=places)
        self.counts += numpy.bincount(places.astype(numpy.intp), minlength=bins)

    def _reach(self, largest: float) -> None:
        """Widen the range until it holds a value."""
        if self.limit == 0:
            self.limit = largest
        while self.limit < largest:
            width = _STEP * 2 * self.limit / len(self.counts)
            more = _STEP * (int((largest - self.limit) / width) + 1)
            if len(self.counts) + 2 * more <= _MOST_BINS:
                self.limit += more // _STEP * width
                self.counts = numpy.pad(self.counts, more)
            else:
                self._coarsen()

    def _coarsen(self) -> None:
        """Double the width of the bins; the range keeps at least its size."""
        half = len(self.counts) // 2
        # Bins are paired away from zero, which must stay the edge of two.
        odd = half % (2 * _STEP)
        if odd:
            self.limit *= (half + 2 * _STEP - odd) / half
            self.counts = numpy.pad(self.counts, 2 * _STEP - odd)
        self.counts = self.counts.reshape(-1, 2).sum(axis=1)

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

    def entropy(self, group: int = 4) -> Range:
        """The cut that keeps most information (least Kullback-Leibler divergence).

        The distribution is compared with itself in 128 levels, for many cuts that lie evenly around
        zero, as described by S. Migacz, "8-bit inference with TensorRT" (GTC 2017). Bins and
        rounding are onnxruntime's, so that both choose the same cut.

        Args:
            group: Bins that are taken as one: 1, 2, 4, 8 or 16.
        """
        if not self.total or self.limit == 0:
            return self.extremes()
        coarse = self._with_zeros().reshape(-1, group).sum(axis=1)
        half = len(coarse) // 2
        best = min(range(LEVELS // 2, half + 1), key=lambda end: divergence(coarse, end))
        width = self.limit / half
        return max(self.low, -width * best), min(self.high, width * min(best + 1, half))

    def _with_zeros(self) -> NDArray[numpy.int64]:
        counts = self.counts.copy()
        counts[len(counts) // 2] += self._zeros
        return counts
