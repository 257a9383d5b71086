"""Corruptions of signals and rows of numbers, in units of the spread of the data."""

from __future__ import annotations

import numpy
from numpy.random import Generator
from numpy.typing import NDArray

from studio.lazy_dataclass import dataclass

Floats = NDArray[numpy.float64]

_NOISE = (0.05, 0.1, 0.2, 0.4, 0.8)
_OFFSET = (0.1, 0.2, 0.4, 0.8, 1.6)
_CLIP = (2.5, 2.0, 1.5, 1.0, 0.5)
_SHARE = (0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class ValueSpread:
    """Figures of the samples: of each number, or one for all of them.

    Attributes:
        low, high: Smallest and largest values.
    """

    mean: Floats
    deviation: Floats
    low: Floats
    high: Floats


def noise(values: Floats, level: int, random: Generator, spread: ValueSpread) -> Floats:
    """Add normal noise."""
    return values + _NOISE[level] * spread.deviation * random.normal(0, 1, values.shape)


def offset(values: Floats, level: int, random: Generator, spread: ValueSpread) -> Floats:
    """Shift all numbers the same way, as a sensor that was set up wrongly does."""
    sign = 1.0 if random.random() < 0.5 else -1.0
    return values + sign * _OFFSET[level] * spread.deviation


def drift(values: Floats, level: int, random: Generator, spread: ValueSpread) -> Floats:
    """Shift the numbers more and more along the last axis, as a sensor that warms up does."""
    sign = 1.0 if random.random() < 0.5 else -1.0
    way = numpy.linspace(0, 2, values.shape[-1]) if values.shape[-1] > 1 else numpy.ones(1)
    return values + sign * _OFFSET[level] * spread.deviation * way


def clipping(values: Floats, level: int, random: Generator, spread: ValueSpread) -> Floats:
    """Cut off large deviations, as an overdriven sensor does."""
    reach = _CLIP[level] * spread.deviation
    return numpy.clip(values, spread.mean - reach, spread.mean + reach)


def dropout(values: Floats, level: int, random: Generator, spread: ValueSpread) -> Floats:
    """Set a piece of the last axis to zero, as an interrupted connection does."""
    size = values.shape[-1]
    length = max(1, round(size * _SHARE[level]))
    start = int(random.integers(0, size - length + 1))
    found = values.copy()
    found[..., start : start + length] = 0
    return found


def missing(values: Floats, level: int, random: Generator, spread: ValueSpread) -> Floats:
    """Replace some numbers by their mean, as missing entries often are."""
    hit = random.random(values.shape) < _SHARE[level]
    return numpy.where(hit, spread.mean, values)
