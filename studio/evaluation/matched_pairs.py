"""Differences between two models on the same samples.

Interval: Bonett and Price, "Adjusted Wald confidence interval for a difference of binomial
proportions based on paired data" (2012). McNemar's mid-P value: Fagerland, Lydersen and Laake,
"The McNemar test for binary matched-pairs data" (2013).
"""

from __future__ import annotations

import math

import numpy
from numpy.typing import NDArray

from studio.runtime.shared.statistics import Z


def bonett_price(changes: NDArray[numpy.float64], largest: float = 1.0) -> tuple[float, float]:
    """Return the 95 % interval of the mean change.

    Args:
        changes: One a sample; -1, 0 or 1 for samples that are right or wrong.
        largest: The largest possible change; one sample of it is added for each direction.
    """
    size = len(changes) + 2
    square = (float((changes**2).sum()) + 2 * largest**2) / size
    gap = float(changes.sum()) / size
    half = Z * math.sqrt(max(0.0, square - gap**2) / size)
    return gap - half, gap + half


def mcnemar(better: int, worse: int) -> float:
    """Return the two-sided mid-P value of the samples that got better against those worse."""
    if better == worse:
        return 1.0
    total, fewest = better + worse, min(better, worse)
    point = _probability(total, fewest)
    tail = sum(_probability(total, count) for count in range(fewest + 1))
    return min(1.0, 2 * tail - point)


def _probability(total: int, count: int) -> float:
    """Return the probability of a count of heads among tosses of a fair coin."""
    choices = math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
    return math.exp(choices - total * math.log(2))
