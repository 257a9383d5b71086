"""The binomial distribution: MLPerf's early-stopping estimate, and limits of a share."""

from __future__ import annotations

import math
from typing import Callable, Sequence

import numpy

from ..arrays import Array

CONFIDENCE = 0.99
"""Of MLPerf's early stopping."""


def early_stopping(sorted_times: Sequence[float], percentile: float) -> int | None:
    """MLPerf's early-stopping estimate of a percentile (MLPerf inference rules, early stopping).

    The estimate is a sample with few others beyond it. Were the true percentile above it, so few
    would occur in at most 1 % of all measurements: it is an upper limit rather than a guess.

    Args:
        sorted_times: Ascending.
        percentile: In percent.

    Returns:
        None where the samples are too few (fewer than 64 for p90, 662 for p99).
    """
    count = len(sorted_times)
    beyond = _most_beyond(count, 1 - percentile / 100)
    return None if beyond < 1 else int(sorted_times[count - beyond])


def _most_beyond(count: int, share: float) -> int:
    """Return the largest number of successes at or below which at most 1 % of all draws lie."""
    below = cumulative(count, share)
    return int(numpy.searchsorted(below, 1 - CONFIDENCE, side="right")) - 1


def cumulative(count: int, share: float) -> Array:
    """P(X <= 0), P(X <= 1), ... up to the mean of X, the successes among ``count``."""
    numbers = numpy.arange(1, int(count * share) + 1, dtype=numpy.float64)
    steps = numpy.log((count - numbers + 1) / numbers) + math.log(share) - math.log1p(-share)
    start = count * math.log1p(-share)
    logs = numpy.concatenate([[start], start + numpy.cumsum(steps)])
    return numpy.cumsum(numpy.exp(logs))


def share_interval(hits: float, count: float, alpha: float) -> tuple[float, float]:
    """Return one-sided lower and upper limits of a share, each at the confidence 1 - alpha.

    Clopper and Pearson's, also for the fractional counts of an effective sample size (Korn and
    Graubard 1998).
    """
    if count <= 0:
        return 0.0, 1.0
    low = 0.0 if hits <= 0 else _solve(lambda p: _at_least(hits, count, p) - alpha)
    high = 1.0 if hits >= count else _solve(lambda p: alpha - _at_most(hits, count, p))
    return low, high


def _at_most(hits: float, count: float, share: float) -> float:
    return 1 - incomplete_beta(share, hits + 1, count - hits)


def _at_least(hits: float, count: float, share: float) -> float:
    return incomplete_beta(share, hits, count - hits + 1)


def _solve(rising: Callable[[float], float]) -> float:
    """Return the root of a function that rises from below to above nought between 0 and 1."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # there it converges slowly; the other side is quick
        return 1 - incomplete_beta(1 - x, b, a)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(front + a * math.log(x) + b * math.log1p(-x)) / a
    return front / _fraction(x, a, b)


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)), from the far end back."""
    value = 1.0
    for number in range(200, 0, -1):
        m = number // 2
        if number % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        value = 1 + term / value
    return value
