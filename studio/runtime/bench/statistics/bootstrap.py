"""Confidence intervals for a series of per-round log ratios, by resampling blocks of rounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Sequence

import numpy

from ..arrays import Array

ALPHA = 0.05
"""1 - ALPHA is the confidence of an interval that stands alone."""

_DRAWS = 4000
_TRIM = 0.35
"""Cut from either end: a busy machine spoils up to a third of the rounds, in either direction."""


@dataclass(frozen=True)
class Interval:
    """A ratio of times with its confidence interval."""

    ratio: float
    low: float
    high: float
    confidence: float


class Bootstrap:
    """Resampled 35 % trimmed means of a series of per-round log ratios.

    Circular blocks of n^(1/3) rounds (Hall, Horowitz & Jing 1995) keep what neighbouring rounds
    have in common: a busy second disturbs several. Few blocks alone give intervals that are too
    narrow, so the draws are spread about the estimate (expanded percentile interval, Hesterberg
    2015): by the ratio of Student's to the normal quantile, with one degree of freedom less than
    blocks.
    """

    def __init__(self, log_ratios: Sequence[float] | Array, seed: int = 0) -> None:
        values = numpy.asarray(log_ratios, dtype=numpy.float64)
        self.rounds = len(values)
        self.estimate = float(_trimmed_mean(values[None, :])[0])
        self.draws = numpy.sort(_trimmed_mean(_resample(values, seed)))

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the log ratio's interval at the confidence 1 - alpha."""
        low, high = numpy.quantile(self._spread(alpha), [alpha / 2, 1 - alpha / 2])
        return float(low), float(high)

    def ratio(self, alpha: float) -> Interval:
        """Return the interval of the ratio."""
        low, high = self.interval(alpha)
        return Interval(math.exp(self.estimate), math.exp(low), math.exp(high), 1 - alpha)

    def p_value(self, margin: float) -> float:
        """Two-sided, against: the log ratio lies within the margin."""
        draws = self._spread(ALPHA)
        above, below = float((draws >= -margin).mean()), float((draws <= margin).mean())
        return max(min(1.0, 2 * min(above, below)), 1 / _DRAWS)

    def _spread(self, alpha: float) -> Array:
        """Return the draws, spread about the estimate for the few blocks that they come from."""
        blocks = max(2.0, self.rounds / _block_length(self.rounds))
        z = NormalDist().inv_cdf(1 - alpha / 2)
        student = 1 + (z * z + 1) / (4 * (blocks - 1))  # Cornish-Fisher, first term
        factor = student * math.sqrt(blocks / (blocks - 1))
        return self.estimate + (self.draws - self.estimate) * factor


def _block_length(rounds: int) -> int:
    return max(1, round(math.pow(rounds, 1 / 3)))


def _resample(values: Array, seed: int) -> Array:
    """Return draws of whole circular blocks, a row each."""
    count, length = len(values), _block_length(len(values))
    blocks = math.ceil(count / length)
    starts = numpy.random.default_rng(seed).integers(0, count, (_DRAWS, blocks, 1))
    indices = (starts + numpy.arange(length)) % count
    draws: Array = values[indices.reshape(_DRAWS, -1)[:, :count]]
    return draws


def _trimmed_mean(rows: Array) -> Array:
    """Return the mean of the middle 30 % of each row: robust like a median, smooth like a mean."""
    cut = int(rows.shape[1] * _TRIM)
    ordered = numpy.sort(rows, axis=1)
    means: Array = ordered[:, cut : rows.shape[1] - cut].mean(axis=1)
    return means
