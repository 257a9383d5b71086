"""Verdicts on per-round ratios: block bootstrap, A/A margin, Holm's correction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Mapping, Sequence

import numpy

from ..arrays import Array
from .bootstrap import ALPHA, Bootstrap, Interval

DECIDED = ("faster", "slower", "equal")
"""Verdicts that say something; the other one is "undecided"."""

LEAST_MARGIN = 0.03
"""Differences below 3 % are not called: recompiling or relinking the same program moves as much."""

WIDEST_EQUAL = 0.10
"""On a machine so noisy that the margin is wider, two candidates are never called equal."""

LEAST_ROUNDS = 8
"""With fewer rounds there are too few blocks to resample."""

MOST_ROUNDS = 100_000
"""More rounds than this are not proposed."""


@dataclass(frozen=True)
class Verdict:
    """Verdict on the time of b against a.

    Attributes:
        ratio: Time of b over time of a; below 1, b is the faster one. None without a common round.
        low, high: Its confidence interval; None where the rounds are too few for one.
        margin: Smallest relative difference that counts (0.03: 3 %).
        rounds: Rounds from which it follows.
        rounds_needed: Rounds after which it would probably be decided; None where it is, or
            where no number of rounds would do.
    """

    a: str
    b: str
    ratio: float | None
    low: float | None
    high: float | None
    verdict: str
    margin: float
    confidence: float
    rounds: int
    rounds_needed: int | None = None

    @property
    def text(self) -> str:
        """Verdict in one sentence."""
        if self.ratio is None or self.low is None or self.high is None:
            return f"{self.b} against {self.a} is undecided: {self.rounds} rounds are too few."
        interval = f"{self.low:.3f} to {self.high:.3f}"
        if self.verdict in ("faster", "slower"):
            share = f"{self.ratio:.3f} of its time ({interval})"
            return f"{self.b} is {self.verdict} than {self.a}: {share}."
        if self.verdict == "equal":
            return f"{self.b} and {self.a} are equal within {self.margin:.1%} ({interval})."
        more = f"; about {self.rounds_needed} rounds would decide" if self.rounds_needed else ""
        return f"{self.b} against {self.a} is undecided ({interval}){more}."


def compare(
    reference: str,
    medians: Mapping[str, Sequence[float]],
    twin: str | None = None,
    alpha: float = ALPHA,
    seed: int = 0,
) -> tuple[list[Verdict], Interval | None]:
    """Compare every candidate with the reference.

    Args:
        medians: Time of each round by candidate (NaN where it has none), all of one length;
            spoiled rounds are left out already.
        twin: The reference's second process, which is not a comparison but sets the margin.

    Returns:
        The verdicts in the order of ``medians``, and the twin's ratio (None without one).
    """
    base = numpy.asarray(medians[reference], dtype=numpy.float64)
    noise = _bootstrap(base, medians[twin], seed) if twin in medians and twin else None
    aside = noise.ratio(alpha) if noise else None
    margin = margin_of(aside)
    others = [name for name in medians if name not in (reference, twin)]
    series = {name: _bootstrap(base, medians[name], seed) for name in others}
    tested = {name: value for name, value in series.items() if value is not None}
    levels = holm({name: b.p_value(math.log1p(margin)) for name, b in tested.items()}, alpha)
    verdicts = [
        _verdict((reference, name), tested[name], margin, *levels[name])
        if name in tested
        else _too_few((reference, name), base, medians[name], margin)
        for name in others
    ]
    return verdicts, aside


def margin_of(twin: Interval | None) -> float:
    """Return the larger of 3 % and the end of the interval of the A/A difference."""
    if twin is None:
        return LEAST_MARGIN
    noise = max(abs(math.log(twin.low)), abs(math.log(twin.high)))
    return max(LEAST_MARGIN, math.expm1(noise))


def holm(p_values: Mapping[str, float], alpha: float) -> dict[str, tuple[float, bool]]:
    """Holm's step-down procedure.

    Returns:
        For each comparison the level at which it is tested, and whether it is significant.
    """
    levels: dict[str, tuple[float, bool]] = {}
    going = True
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        level = alpha / (len(p_values) - rank)
        going = going and p_values[name] <= level
        levels[name] = (level, going)
    return levels


def _verdict(
    pair: tuple[str, str], series: Bootstrap, margin: float, level: float, significant: bool
) -> Verdict:
    interval = series.ratio(level)
    low, high = series.interval(level)
    bound = math.log1p(margin)
    decision: str = "undecided"
    # Significance alone is not enough: the whole interval must be beyond the margin.
    if significant and high < -bound:
        decision = "faster"
    elif significant and low > bound:
        decision = "slower"
    elif -bound <= low and high <= bound and margin <= WIDEST_EQUAL:
        decision = "equal"
    needed = _rounds_needed(series, (high - low) / 2, bound) if decision == "undecided" else None
    return Verdict(
        *pair,
        interval.ratio,
        interval.low,
        interval.high,
        decision,
        margin,
        interval.confidence,
        series.rounds,
        needed,
    )


def _rounds_needed(series: Bootstrap, half: float, bound: float) -> int | None:
    """Estimate the rounds after which the interval, as 1/sqrt(rounds), clears the margin."""
    gap = abs(abs(series.estimate) - bound)
    if gap <= 0:
        return None
    needed = series.rounds * (half / gap) ** 2
    return max(series.rounds + 1, math.ceil(needed)) if needed <= MOST_ROUNDS else None


def _too_few(pair: tuple[str, str], base: Array, other: Sequence[float], margin: float) -> Verdict:
    logs = _log_ratios(base, other)
    ratio = math.exp(float(numpy.median(logs))) if len(logs) else None
    rounds = len(logs)
    return Verdict(*pair, ratio, None, None, "undecided", margin, 0.0, rounds, LEAST_ROUNDS)


def _bootstrap(base: Array, other: Sequence[float], seed: int) -> Bootstrap | None:
    logs = _log_ratios(base, other)
    return Bootstrap(logs, seed) if len(logs) >= LEAST_ROUNDS else None


def _log_ratios(base: Array, other: Sequence[float]) -> Array:
    """Return the log ratios of the rounds that both have."""
    values = numpy.asarray(other, dtype=numpy.float64)
    both = numpy.isfinite(base) & numpy.isfinite(values) & (base > 0) & (values > 0)
    return numpy.log(values[both] / base[both])
