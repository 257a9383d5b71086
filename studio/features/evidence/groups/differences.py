"""Differences of means: between groups, and between two variants on the same samples.

Groups: Newcombe, "Interval estimation for the difference between independent proportions" (1998).
Other means: Zou and Donner, "Construction of confidence limits about effect measures" (2008).
Pairs: ``studio.evaluation.matched_pairs``. Several tests: Holm, "A simple
sequentially rejective multiple test procedure" (1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

from studio.evaluation.matched_pairs import bonett_price, mcnemar
from studio.features.evidence.groups.intervals import BOOTSTRAP, NONE, bootstrap_t, mean_interval
from studio.features.evidence.groups.results import Interval, MeanDifference

Floats = NDArray[numpy.float64]

NEWCOMBE = "Newcombe"
PAIRED = "Bonett-Price"
ALPHA = 0.05

_DRAWS = 9999
_FEWEST_CHANGES = 6
"""Fewer changed samples leave the bootstrap-t too few different values."""

_MANY = 200
"""Samples of each group from which the normal approximation does for figures of any kind."""

_RARE = 20
"""How many times as large all samples are, for a group to be drawn with replacement."""

_BLOCK = 1 << 22
_SLACK = 1e-12


def difference(one: Floats, other: Floats, seed: int) -> MeanDifference:
    """Return the difference of the means of two groups without a common sample.

    The p-value is exact (mid-P) for figures of 0 and 1, else that of a permutation test, or of
    Welch's for large groups.
    """
    if not len(one) or not len(other):
        return MeanDifference(None, None, None, None, NONE)
    gap = float(one.mean() - other.mean())
    first, second = mean_interval(one, seed), mean_interval(other, seed)
    p = _p_value(one, other, seed)
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return MeanDifference(gap, None, None, p, NONE)
    low = gap - math.hypot(float(one.mean()) - first.low, second.high - float(other.mean()))
    high = gap + math.hypot(first.high - float(one.mean()), float(other.mean()) - second.low)
    return MeanDifference(gap, low, high, p, NEWCOMBE)


def paired_difference(now: Floats, before: Floats, seed: int) -> MeanDifference:
    """Return the mean difference of two variants on the same samples.

    The p-value is McNemar's (mid-P) for figures of 0 and 1, else that of random signs.
    """
    changes = now - before
    if not len(changes):
        return MeanDifference(None, None, None, None, NONE)
    gap = float(changes.mean())
    binary = _binary(now, before)
    p = _mid_p(changes) if binary else _signs(changes, seed)
    interval = _paired_interval(changes, binary, seed)
    return MeanDifference(gap, interval.low, interval.high, p, interval.method)


def _paired_interval(changes: Floats, binary: bool, seed: int) -> Interval:
    changed = int((changes != 0).sum())
    if not binary and changed >= _FEWEST_CHANGES:
        return Interval(*bootstrap_t(changes, seed), BOOTSTRAP)
    most = 1.0 if binary else max(1.0, float(numpy.abs(changes).max()))
    return Interval(*bonett_price(changes, most), PAIRED)


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return the p-values adjusted for their number; None stays None and does not count."""
    known = [(p, index) for index, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(sorted(known)):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        adjusted[index] = largest
    return tuple(adjusted)


def _binary(*columns: Floats) -> bool:
    return all(bool(numpy.isin(one, (0, 1)).all()) for one in columns)


def _mid_p(changes: Floats) -> float:
    return mcnemar(int((changes > 0).sum()), int((changes < 0).sum()))


def _exact(one: Floats, other: Floats) -> float:
    """Return the two-sided mid-P value of Fisher's exact test."""
    first, second = len(one), len(other)
    right = int(one.sum()), int(other.sum())
    total = sum(right)
    whole = _choose(first + second, total)
    low, high = max(0, total - second), min(first, total)
    weights = [
        math.exp(_choose(first, k) + _choose(second, total - k) - whole)
        for k in range(low, high + 1)
    ]
    mine = weights[right[0] - low]
    rarer = sum(one for one in weights if one < mine * (1 - 1e-7))
    equal = sum(one for one in weights if abs(one - mine) <= mine * 1e-7)
    return min(1.0, rarer + equal / 2)


def _choose(total: int, count: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)


def _p_value(one: Floats, other: Floats, seed: int) -> float:
    if _binary(one, other):
        return _exact(one, other)
    if min(len(one), len(other)) < _MANY:
        return _permuted(one, other, seed)
    error = math.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    gap = abs(float(one.mean() - other.mean()))
    return math.erfc(gap / error / math.sqrt(2)) if error > 0 else float(gap == 0)


def _permuted(one: Floats, other: Floats, seed: int) -> float:
    """Return the p-value of the difference under random division into two groups."""
    pool, count = numpy.concatenate([one, other]), min(len(one), len(other))
    random, wanted = numpy.random.default_rng(seed), abs(float(one.mean() - other.mean()))
    total, rest, hits = float(pool.sum()), len(pool) - count, 0
    few = count * _RARE < len(pool)
    step = max(1, min(_DRAWS, _BLOCK // (count if few else len(pool))))
    for start in range(0, _DRAWS, step):
        rows = min(step, _DRAWS - start)
        if few:  # drawing a sample twice is rare, and a whole permutation slow
            drawn = pool[random.integers(0, len(pool), (rows, count))]
        else:
            drawn = random.permuted(numpy.tile(pool, (rows, 1)), axis=1)[:, :count]
        sums = drawn.sum(axis=1)
        hits += int((numpy.abs(sums / count - (total - sums) / rest) >= wanted - _SLACK).sum())
    return (hits + 1) / (_DRAWS + 1)


def _signs(changes: Floats, seed: int) -> float:
    """Return the p-value of the mean change under random signs of the changes."""
    moved = changes[changes != 0]
    if not len(moved):
        return 1.0
    random, wanted, hits = numpy.random.default_rng(seed), abs(float(moved.sum())), 0
    step = max(1, min(_DRAWS, _BLOCK // len(moved)))
    for start in range(0, _DRAWS, step):
        shape = (min(step, _DRAWS - start), len(moved))
        sums = (moved * random.choice((-1.0, 1.0), shape)).sum(axis=1)
        hits += int((numpy.abs(sums) >= wanted - _SLACK).sum())
    return (hits + 1) / (_DRAWS + 1)
