"""How much a distribution loses when it is cut off and told in few levels."""

from __future__ import annotations

import math

import numpy
from numpy.typing import NDArray

LEVELS = 128

_LEAST = 1e-4
"""Share that an empty bin is given, at the cost of the others, as no logarithm of 0 is defined."""

Counts = NDArray[numpy.int64]


def divergence(counts: Counts, end: int) -> float:
    """The Kullback-Leibler divergence of a cut distribution from its form in 128 levels.

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
    """Each level's count, spread over its bins as if those that are not empty were alike."""
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
    """Without empty bins; None where what they are given is more than the others have."""
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
