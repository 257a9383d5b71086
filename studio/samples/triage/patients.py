"""Synthetic patients: vital signs in their units, with an outcome by a known logistic truth."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from studio.lazy_dataclass import dataclass

Floats = NDArray[numpy.float64]


@dataclass(frozen=True, slots=True)
class Sign:
    """A vital sign with its ranges and its true effect.

    Attributes:
        least, most: Readings beyond are faults of the measurement, and are refused.
        low, high: Range in which it adds nothing to the risk; the typical value is its middle.
        spread: Standard deviation in the synthetic population.
        below, above: Log odds of the true risk for one spread below ``low`` and above ``high``.
        decimals: Digits after the point, as devices give it.
    """

    name: str
    unit: str
    least: float
    most: float
    low: float
    high: float
    middle: float
    spread: float
    below: float
    above: float
    decimals: int = 0


SIGNS = (
    Sign("age", "years", 18, 110, 18, 50, 50, 19, 0.0, 0.55),
    Sign("heart_rate", "/min", 20, 250, 50, 90, 84, 19, 0.8, 0.75),
    Sign("systolic_pressure", "mmHg", 50, 260, 110, 160, 128, 23, 1.0, 0.3),
    Sign("respiratory_rate", "/min", 4, 60, 12, 20, 17, 4.5, 0.9, 0.85),
    Sign("temperature", "°C", 30, 43, 36.1, 38.0, 36.9, 0.8, 0.7, 0.45, 1),
    Sign("oxygen_saturation", "%", 50, 100, 96, 100, 96.5, 2.6, 0.95, 0.0),
    Sign("glasgow_coma_scale", "points", 3, 15, 15, 15, 14.8, 1.0, 0.9, 0.0),
)

INTERCEPT = -3.6
_COMMON = 0.45
"""Weight of a hidden severity in each sign: ill persons have several unusual signs at once."""

_DIRECTIONS = numpy.array([0.3, 1.0, -0.8, 1.0, 0.5, -1.0, -0.9])


def patients(seed: int, count: int) -> tuple[Floats, NDArray[numpy.bool_]]:
    """Return vital signs, count x 7 in the order of ``SIGNS``, and which patients had the outcome.

    The signs are normal with a common part, rounded as devices do and limited to their ranges.
    The outcome is drawn with the probability of ``true_risk``.
    """
    chance = numpy.random.default_rng(seed)
    severity = chance.exponential(1.0, (count, 1)) - 1.0
    own = chance.standard_normal((count, len(SIGNS)))
    unusual = numpy.sqrt(1 - _COMMON**2) * own + _COMMON * severity * _DIRECTIONS
    columns = []
    for at, one in enumerate(SIGNS):
        values = numpy.round(one.middle + one.spread * unusual[:, at], one.decimals)
        columns.append(values.clip(one.least, one.most))
    signs = numpy.stack(columns, axis=1)
    return signs, chance.random(count) < true_risk(signs)


def true_risk(signs: Floats) -> Floats:
    """Return the true probability of the outcome of each patient."""
    odds = numpy.full(len(signs), INTERCEPT)
    for at, one in enumerate(SIGNS):
        odds += one.below * (one.low - signs[:, at]).clip(0) / one.spread
        odds += one.above * (signs[:, at] - one.high).clip(0) / one.spread
    found: Floats = 1 / (1 + numpy.exp(-odds))
    return found
