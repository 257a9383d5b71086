"""Confidence intervals of figures over tokens, which depend on each other, and of shares.

Tokens of one document, or of one stretch of text, are resampled together as a cluster. The mean
over all tokens is a ratio of sums over clusters, with the bootstrap-t: Davison and Hinkley,
"Bootstrap Methods and their Application" (1997), section 2.4 and 3.8. Shares of tokens have
Clopper and Pearson's interval with an effective number of tokens: Korn and Graubard, "Confidence
intervals for proportions with small expected number of positive counts" (1998).
"""

from __future__ import annotations

import math

import numpy
from numpy.typing import NDArray

from studio.evaluation.language.results import IntervalValue, PairedChange
from studio.evaluation.matched_pairs import bonett_price, mcnemar
from studio.runtime.bench.statistics.binomial import share_interval
from studio.runtime.bench.statistics.student import quantile
from studio.runtime.shared.statistics import Z

Floats = NDArray[numpy.float64]
Integers = NDArray[numpy.integer]

METHOD = (
    "bootstrap-t over {0} (Davison and Hinkley 1997); shares by Clopper-Pearson with effective "
    "samples (Korn and Graubard 1998)"
)
FEWEST_CLUSTERS = 5
"""Fewer clusters give no interval: their spread is not known well enough."""

_RESAMPLES = 1999
_TAIL = 0.025


def cluster_mean(values: Floats, clusters: Integers, seed: int = 0) -> IntervalValue:
    """Return the mean of values with the interval of a bootstrap-t over clusters.

    Args:
        clusters: The cluster of each value.
        seed: Of the resampling; the same values and seed give the same interval.
    """
    sums, counts = _totals(values, clusters)
    mean = float(sums.sum() / counts.sum())
    if len(sums) < FEWEST_CLUSTERS:
        return IntervalValue(mean)
    error = float(_error(sums[None], counts[None])[0])
    if error == 0:
        return IntervalValue(mean, mean, mean)
    drawn = numpy.random.default_rng(seed).integers(0, len(sums), (_RESAMPLES, len(sums)))
    errors = _error(sums[drawn], counts[drawn])
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    # A resample of one cluster only has no spread.
    usable = errors > 1e-9 * error
    low, high = numpy.quantile((means - mean)[usable] / errors[usable], (1 - _TAIL, _TAIL))
    return IntervalValue(mean, mean - float(low) * error, mean - float(high) * error)


def cluster_share(hits: Floats, clusters: Integers) -> IntervalValue:
    """Return a share of tokens with an exact interval for their effective number."""
    sums, counts = _totals(hits, clusters)
    total = float(counts.sum())
    share = float(sums.sum() / total)
    if len(sums) < FEWEST_CLUSTERS:
        return IntervalValue(share)
    variance = float(_error(sums[None], counts[None])[0]) ** 2
    effective = share * (1 - share) / variance if variance > 0 else total
    # Student's quantile for few clusters, as Korn and Graubard have it.
    effective = min(total, effective) * (Z / quantile(2 * _TAIL, len(sums) - 1)) ** 2
    low, high = share_interval(share * effective, effective, _TAIL)
    return IntervalValue(share, min(low, share), max(high, share))


def proportion(hits: int, count: int) -> IntervalValue:
    """Return a share of independent items with Clopper and Pearson's exact interval."""
    low, high = share_interval(hits, count, _TAIL)
    return IntervalValue(hits / count, low, high)


def mean_of(values: Floats, seed: int = 0) -> IntervalValue:
    """Return the mean of independent values with its bootstrap-t interval."""
    return cluster_mean(values, numpy.arange(len(values)), seed)


def exponential(estimate: IntervalValue) -> IntervalValue:
    """Return the exponential of a figure and of its interval; infinite beyond floats."""
    low, high = (None if one is None else _exp(one) for one in (estimate.low, estimate.high))
    return IntervalValue(_exp(estimate.value), low, high)


def paired_change(now: Floats, before: Floats) -> PairedChange:
    """Return the difference of two shares on the same items.

    Args:
        now, before: 1 for each item that is right, else 0.
    """
    better, worse = int((now > before).sum()), int((now < before).sum())
    low, high = bonett_price(now - before)
    value = (better - worse) / len(now)
    p = mcnemar(better, worse)
    return PairedChange(value, max(-1.0, low), min(1.0, high), p, better, worse)


def _totals(values: Floats, clusters: Integers) -> tuple[Floats, Floats]:
    """Return the sum and the number of the values of each cluster."""
    names, places = numpy.unique(clusters, return_inverse=True)
    sums = numpy.bincount(places, values.astype(numpy.float64), len(names))
    counts = numpy.bincount(places, minlength=len(names)).astype(numpy.float64)
    return sums.astype(numpy.float64), counts


def _error(sums: Floats, counts: Floats) -> Floats:
    """Return the standard error of the ratio of each row, by linearization."""
    clusters = sums.shape[1]
    total = counts.sum(axis=1, keepdims=True)
    rest = sums - sums.sum(axis=1, keepdims=True) / total * counts
    found: Floats = numpy.sqrt((rest**2).sum(axis=1) * clusters / (clusters - 1)) / total[:, 0]
    return found


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf
