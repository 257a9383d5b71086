"""The distribution of a tensor's values, gathered in constant memory, and ranges read from it."""

from __future__ import annotations

import math

import numpy
from numpy.typing import NDArray

Range = tuple[float, float]
"""Lowest and highest value that is represented."""

BINS = 16384
"""Of the first sample's range."""

_MOST_BINS = 4 * BINS

_TINY = 1e-30
"""Below it, bins are too narrow for single precision."""

_CHUNK = 2**16
"""Values that are counted at once, so that what is computed of them stays in the cache."""


class Histogram:
    """Counts in equal bins over a range around zero that grows when a value falls outside.

    The range grows by further bins of the same width; beyond 65,536 bins neighbours are added up.
    So the memory has a bound whatever the number and the size of the values.

    Attributes:
        low, high: The exact extremes seen so far.
        counts: For each bin from -limit to limit.
    """

    def __init__(self, limit: float = 0.0) -> None:
        """Start with the range up to a limit, or with that of the first values."""
        self.counts: NDArray[numpy.int64] = numpy.zeros(BINS, numpy.int64)
        self.limit = limit
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
        # The largest value may lie just behind the last bin.
        found = numpy.bincount(places.astype(numpy.intp), minlength=bins + 1)
        self.counts += found[:bins]
        self.counts[-1] += found[bins:].sum()

    def _reach(self, largest: float) -> None:
        """Widen the range until it holds a value."""
        if self.limit == 0:
            self.limit = largest
        while self.limit < largest:
            width = 2 * self.limit / len(self.counts)
            more = int((largest - self.limit) / width) + 1
            if len(self.counts) + 2 * more <= _MOST_BINS:
                self.limit += more * width
                self.counts = numpy.pad(self.counts, more)
            else:
                self._coarsen()

    def _coarsen(self) -> None:
        """Double the width of the bins; zero stays an edge."""
        half = len(self.counts) // 2
        if half % 2:
            self.limit *= (half + 1) / half
            self.counts = numpy.pad(self.counts, 1)
        self.counts = self.counts.reshape(-1, 2).sum(axis=1)

    @property
    def total(self) -> int:
        """Number of values counted."""
        return int(self.counts.sum()) + self._zeros

    def extremes(self) -> Range:
        """Return the whole range without clipping."""
        return (self.low, self.high) if self.total else (0.0, 0.0)

    def occupied(self) -> tuple[NDArray[numpy.float64], NDArray[numpy.float64]]:
        """Return the centres of the non-empty bins within the extremes, and their counts."""
        counts = self._with_zeros()
        present = numpy.flatnonzero(counts)
        centres = (2 * present + 1 - len(counts)) * (self.limit / len(counts))
        return centres.clip(self.low, self.high), counts[present].astype(numpy.float64)

    def percentile(self, share: float, floor: float = -math.inf) -> Range:
        """Return the range with this share of the values; the rest is cut evenly at both ends.

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

    def symmetric(self, share: float) -> float:
        """Return the least magnitude that at most the rest of this share (in percent) exceeds."""
        largest = max(-self.low, self.high)
        if not self.total or self.limit == 0:
            return largest if self.total else 0.0
        counts = self._with_zeros()
        half = len(counts) // 2
        cumulative = numpy.cumsum(counts[half:] + counts[:half][::-1])
        place = int(numpy.searchsorted(cumulative, share / 100 * cumulative[-1], side="left"))
        return min(largest, (place + 1) * self.limit / half)

    def entropy(self, bins: int = 2048) -> Range:
        """Return the cut with the least Kullback-Leibler divergence.

        The distribution is compared with itself in 128 levels, for many cuts that lie evenly around
        zero, as described by S. Migacz, "8-bit inference with TensorRT" (GTC 2017). Bins, rounding
        and choice are onnxruntime's.

        Args:
            bins: An even number. The choice is sure where the histogram began with the whole range:
                the divergence has many lows that are nearly alike.
        """
        if not self.total or self.limit == 0:
            return self.extremes()
        largest = max(-self.low, self.high)
        coarse, half = self._rebinned(bins, largest), bins // 2
        best = min(range(LEVELS // 2, half + 1), key=lambda end: divergence(coarse, end))
        width = largest / half
        return max(self.low, -width * best), min(self.high, width * min(best + 1, half))

    def _rebinned(self, bins: int, largest: float) -> NDArray[numpy.int64]:
        """Return counts in fewer bins over a range around zero that holds all values."""
        below = numpy.concatenate([[0], numpy.cumsum(self._with_zeros())])
        edges = numpy.linspace(-self.limit, self.limit, len(below))
        inside = numpy.interp(numpy.linspace(-largest, largest, bins + 1)[1:-1], edges, below)
        return numpy.diff(numpy.concatenate([[0], inside.round(), below[-1:]])).astype(numpy.int64)

    def _with_zeros(self) -> NDArray[numpy.int64]:
        counts = self.counts.copy()
        counts[len(counts) // 2] += self._zeros
        return counts


LEVELS = 128

_LEAST = 1e-4
"""Share that an empty bin is given, at the cost of the others, as no logarithm of 0 is defined."""

Counts = NDArray[numpy.int64]


def divergence(counts: Counts, end: int) -> float:
    """Return the Kullback-Leibler divergence of a cut distribution from its 128 levels.

    Args:
        counts: In equal bins, evenly around zero.
        end: Bins that are kept on either side of zero; what lies outside is added to the ends.

    Returns:
        Infinity where one of both cannot be smoothed.
    """
    half = len(counts) // 2
    begin, stop = half - end, min(half + end + 1, len(counts))
    inside = counts[begin:stop]
    exact = inside.copy()
    exact[0] += counts[:begin].sum()
    exact[-1] += counts[stop:].sum()
    p, q = _smoothed(exact), _smoothed(_levelled(inside, exact != 0))
    if p is None or q is None:
        return math.inf
    p, q = p / p.sum(), q / q.sum()
    return float((p * numpy.log(p / q)).sum())


def _levelled(inside: Counts, present: NDArray[numpy.bool_]) -> Counts:
    """Return each level's count, spread evenly over its non-empty bins."""
    merged = len(inside) // LEVELS
    whole = merged * LEVELS
    sums = inside[:whole].reshape(LEVELS, merged).sum(axis=1)
    sums[-1] += inside[whole:].sum()
    filled = present[:whole].reshape(LEVELS, merged).sum(axis=1)
    each = numpy.where(filled, sums / numpy.maximum(filled, 1), 0).astype(numpy.int64)
    levelled = numpy.zeros(len(inside), numpy.int64)
    levelled[:whole] = numpy.repeat(each, merged)
    return levelled


def _smoothed(counts: Counts) -> NDArray[numpy.float32] | None:
    """Return a distribution without empty bins, or None if they would need too much."""
    empty = counts == 0
    holes = int(empty.sum())
    filled = len(counts) - holes
    if not filled:
        return None
    taken = _LEAST * holes / filled
    if taken >= 1:
        return None
    smoothed = counts.astype(numpy.float32)
    smoothed += numpy.where(empty, numpy.float32(_LEAST), numpy.float32(-taken))
    return smoothed if (smoothed > 0).all() else None
