"""Log ratios of single boards with their standard errors, and their random-effects mean."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from studio.lazy_dataclass import dataclass
from studio.runtime.bench.statistics.student import beyond, quantile

_LEAST_ERROR = 1e-6
_STEPS = 80
_ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class BoardEstimate:
    """A log ratio from the rounds of one board.

    Attributes:
        freedom: Degrees of freedom of its error: blocks of neighbouring rounds, less one.
    """

    log_ratio: float
    error: float
    freedom: float

    @classmethod
    def of(
        cls,
        ratio: float | None,
        low: float | None,
        high: float | None,
        confidence: float | None,
        rounds: int,
    ) -> BoardEstimate | None:
        """Return the estimate behind an interval; None without one, or with impossible figures."""
        if not (ratio and low and high and confidence) or not 0 < confidence < 1:
            return None
        if not all(math.isfinite(one) and one > 0 for one in (ratio, low, high)):
            return None
        blocks = rounds / max(1, round(math.pow(max(rounds, 1), 1 / 3)))
        freedom = max(1.0, blocks - 1)
        half = (math.log(high) - math.log(low)) / 2
        error = half / quantile(round(1 - confidence, 12), freedom)
        return cls(math.log(ratio), max(error, _LEAST_ERROR), freedom)

    def p_value(self, margin: float) -> float:
        """Two-sided, against: the ratio lies within the margin (0.03: 3 %)."""
        distance = abs(self.log_ratio) - math.log1p(margin)
        return 1.0 if distance <= 0 else beyond(distance / self.error, self.freedom)

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the interval of the ratio at the confidence 1 - alpha."""
        half = self.error * quantile(alpha, self.freedom)
        return math.exp(self.log_ratio - half), math.exp(self.log_ratio + half)


@dataclass(frozen=True, slots=True)
class PooledRatio:
    """The mean of a random-effects model.

    Attributes:
        error: Standard error of the mean of the logarithms.
        spread: Standard deviation between boards (tau).
        heterogeneity: I², the share of the variance between boards.
        boards: Number of boards.
    """

    log_ratio: float
    error: float
    spread: float
    heterogeneity: float
    boards: int

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the interval of the mean ratio, with boards - 1 degrees of freedom."""
        half = self.error * quantile(alpha, self.boards - 1)
        return math.exp(self.log_ratio - half), math.exp(self.log_ratio + half)

    def next_board(self, alpha: float) -> tuple[float, float] | None:
        """Return the prediction interval for another board; None with fewer than three boards.

        Higgins, Thompson and Spiegelhalter 2009, with boards - 2 degrees of freedom.
        """
        if self.boards < 3:
            return None
        half = math.hypot(self.spread, self.error) * quantile(alpha, self.boards - 2)
        return math.exp(self.log_ratio - half), math.exp(self.log_ratio + half)

    def p_value(self, margin: float) -> float:
        """Two-sided, against: the mean ratio lies within the margin."""
        distance = abs(self.log_ratio) - math.log1p(margin)
        return 1.0 if distance <= 0 else beyond(distance / self.error, self.boards - 1)


def pooled(estimates: Sequence[BoardEstimate]) -> PooledRatio | None:
    """Return the mean over boards; None with fewer than two.

    The variance between boards is Paule and Mandel's (1982), recommended by Veroniki et al. 2016.
    The error is that of Hartung and Knapp (2001) and Sidik and Jonkman (2002). It is never below
    that of the inverse variances (Röver, Knapp and Friede 2015).
    """
    if len(estimates) < 2:
        return None
    variance = _between(estimates)
    weights = [1 / (one.error**2 + variance) for one in estimates]
    mean = _mean(estimates, weights)
    scale = max(1.0, _scatter(estimates, weights, mean) / (len(estimates) - 1))
    within = statistics.fmean(one.error**2 for one in estimates)
    return PooledRatio(
        mean,
        math.sqrt(scale / sum(weights)),
        math.sqrt(variance),
        variance / (variance + within),
        len(estimates),
    )


def _between(estimates: Sequence[BoardEstimate]) -> float:
    """Return the variance between boards at which the weighted scatter is as expected."""

    def excess(variance: float) -> float:
        weights = [1 / (one.error**2 + variance) for one in estimates]
        found = _scatter(estimates, weights, _mean(estimates, weights))
        return found - (len(estimates) - 1)

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, _LEAST_ERROR
    while excess(high) > 0:
        high *= 4
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return (low + high) / 2


def _mean(estimates: Sequence[BoardEstimate], weights: Sequence[float]) -> float:
    weighted = (one.log_ratio * weight for one, weight in zip(estimates, weights, strict=True))
    return sum(weighted) / sum(weights)


def _scatter(estimates: Sequence[BoardEstimate], weights: Sequence[float], mean: float) -> float:
    pairs = zip(estimates, weights, strict=True)
    return sum(weight * (one.log_ratio - mean) ** 2 for one, weight in pairs)


def median_interval(times: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of a median time from its rounds; None with fewer than eight.

    Means of the logarithms in blocks of neighbouring rounds, with Student's quantile.
    """
    logs = [math.log(each) for each in times if each > 0]
    if len(logs) < 8:
        return None
    size = max(1, round(math.pow(len(logs), 1 / 3)))
    starts = range(0, len(logs) - size + 1, size)
    blocks = [statistics.fmean(logs[start : start + size]) for start in starts]
    error = math.sqrt(statistics.variance(blocks) / len(blocks))
    half = error * quantile(_ALPHA, len(blocks) - 1)
    middle = statistics.median(times)
    return middle * math.exp(-half), middle * math.exp(half)
