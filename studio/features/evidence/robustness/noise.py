"""Noise on pictures: Gaussian, shot and impulse noise."""

from __future__ import annotations

import numpy
from numpy.random import Generator
from numpy.typing import NDArray

Pixels = NDArray[numpy.float64]
"""Height × width × channels, 0 to 1."""

_GAUSSIAN = (0.08, 0.12, 0.18, 0.26, 0.38)
_SHOT = (60.0, 25.0, 12.0, 5.0, 3.0)
_IMPULSE = (0.03, 0.06, 0.09, 0.17, 0.27)


def gaussian(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Add normal noise to each value."""
    return pixels + random.normal(0, _GAUSSIAN[level], pixels.shape)


def shot(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Count photons: noise that grows with the brightness."""
    photons = _SHOT[level]
    return random.poisson(pixels.clip(0, 1) * photons) / photons


def impulse(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Replace a share of the values by black or white."""
    hit = random.random(pixels.shape) < _IMPULSE[level]
    return numpy.where(hit, random.integers(0, 2, pixels.shape).astype(numpy.float64), pixels)
