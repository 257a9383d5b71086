"""Confidence intervals of the mean of a group, also of a small one.

Figures of 0 and 1 have Wilson's interval. Figures between 0 and 1 that vary as much, or crowd at an
end, have it with an effective number of samples. All others have the bootstrap-t.
``tests/benchmarks/bench_intervals.py`` measures what each covers.

Wilson, "Probable inference, the law of succession, and statistical inference" (1927). Effective
number: Korn and Graubard, "Confidence intervals for proportions with small expected number of
positive counts" (1998). Bootstrap-t: Efron and Tibshirani, "An Introduction to the Bootstrap"
(1993).
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from studio.features.evidence.groups.results import Interval
from studio.runtime.bench.statistics.student import quantile
from studio.runtime.shared.statistics import wilson

Floats = NDArray[numpy.float64]

WILSON = "Wilson"
EFFECTIVE = "Wilson, effective samples"
BOOTSTRAP = "bootstrap-t"
NONE = "none"

RESAMPLES = 999
_CROWDED = 0.25
"""Share of figures at 0 or 1 above which the bootstrap-t covers too little in a small group."""

_SPREAD = 0.4
"""Variance over that of zeros and ones with the same mean, above which it covers too much."""

_BLOCK = 1 << 22
"""Most numbers of a bootstrap in memory at once."""


def mean_interval(values: Floats, seed: int) -> Interval:
    """Return the 95 % confidence interval of a mean.

    Args:
        values: Figures of the samples of one group.
        seed: Of the bootstrap; the same values and seed give the same interval.
    """
    count = len(values)
    if count == 0:
        return Interval(None, None, NONE)
    mean = float(values.mean())
    bounded = bool((values >= 0).all() and (values <= 1).all())
    if bounded and bool(numpy.isin(values, (0, 1)).all()):
        return Interval(*wilson(mean * count, count), WILSON)
    if count == 1:
        return Interval(0.0, 1.0, NONE) if bounded else Interval(None, None, NONE)
    if bounded and _needs_wilson(values, mean):
        return Interval(*effective_wilson(values), EFFECTIVE)
    low, high = bootstrap_t(values, seed)
    if bounded:
        low, high = max(0.0, low), min(1.0, high)
    return Interval(low, high, BOOTSTRAP)


def _needs_wilson(values: Floats, mean: float) -> bool:
    crowded = max(float((values == 0).mean()), float((values == 1).mean()))
    return crowded >= _CROWDED or _relative_variance(values, mean) >= _SPREAD


def _relative_variance(values: Floats, mean: float) -> float:
    """Return the variance over that of zeros and ones with the same mean, at most 1."""
    most = mean * (1 - mean)
    return min(1.0, float(values.var()) / most) if most > 0 else 1.0


def effective_wilson(values: Floats) -> tuple[float, float]:
    """Return Wilson's interval with as many samples as zeros and ones would need.

    Figures that vary less than zeros and ones of the same mean count as more samples. One further
    sample that varies as much keeps the interval of equal figures from collapsing.
    """
    count, mean = len(values), float(values.mean())
    ratio = (count * _relative_variance(values, mean) + 1) / (count + 1)
    effective = count / ratio
    return wilson(mean * effective, effective, quantile(0.05, count - 1))


def bootstrap_t(values: Floats, seed: int) -> tuple[float, float]:
    """Return the bootstrap-t interval of a mean of two or more values.

    Without any spread both ends are the mean.
    """
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    if deviation == 0:
        return mean, mean
    ratios = _ratios(values, mean, seed)
    if not len(ratios):
        return mean, mean
    low, high = numpy.quantile(ratios, (0.975, 0.025))
    return mean - float(low) * deviation, mean - float(high) * deviation


def _ratios(values: Floats, mean: float, seed: int) -> Floats:
    """Return the deviation of resampled means over the deviation within each resample."""
    random, count = numpy.random.default_rng(seed), len(values)
    step = max(1, min(RESAMPLES, _BLOCK // count))
    found: list[Floats] = []
    for start in range(0, RESAMPLES, step):
        drawn = values[random.integers(0, count, (min(step, RESAMPLES - start), count))]
        spread = drawn.std(axis=1, ddof=1)
        # Rounding leaves a tiny deviation in a resample of equal values.
        usable = spread > 1e-9 * max(abs(mean), 1e-9)
        found.append((drawn.mean(axis=1)[usable] - mean) / spread[usable])
    return numpy.concatenate(found)
