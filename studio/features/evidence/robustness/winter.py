"""Snow, frost and splashes on pictures, all drawn from random numbers."""

from __future__ import annotations

import math

import numpy
from numpy.random import Generator

from studio.features.evidence.robustness.blur import bell, convolved, line_kernel, scale_of
from studio.features.evidence.robustness.noise import Pixels
from studio.features.evidence.robustness.weather import plasma, stretched

_SNOW = (
    (0.06, 2.5, 10.0, 0.85),
    (0.10, 2.5, 12.0, 0.75),
    (0.14, 3.5, 12.0, 0.65),
    (0.19, 3.5, 14.0, 0.55),
    (0.25, 4.0, 16.0, 0.45),
)
"""Share of the places with a flake, size and trail of a flake, and what is left of the light."""

_FROST = ((0.95, 0.35), (0.85, 0.5), (0.75, 0.6), (0.65, 0.7), (0.55, 0.8))
"""Strength of the picture, and of the ice on it."""

_SPATTER = (0.08, 0.14, 0.21, 0.29, 0.38)
"""Share of the places below a splash."""

_MUD = 0.22
_EDGE = 0.15
"""Width of the soft edge of a splash, in deviations of the field that it is cut from."""


def snow(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Draw trails of bright flakes, and make the light pale."""
    share, size, trail, left = _SNOW[level]
    scale = scale_of(pixels)
    height, width = pixels.shape[:2]
    cell = max(1.0, size * scale)
    points = (math.ceil(height / cell) + 1, math.ceil(width / cell) + 1)
    flakes = (stretched(random.random(points), height, width) - (1 - share)).clip(0, None)
    flakes = flakes / max(float(flakes.max()), 1e-9)
    angle = random.uniform(math.pi / 4, 3 * math.pi / 4)
    fallen = convolved(flakes[:, :, None], line_kernel(max(1.5, trail * scale), angle))
    bright = fallen / max(float(fallen.max()), 1e-9)
    pale = numpy.maximum(pixels, pixels.mean(axis=2, keepdims=True) * 0.5 + 0.5)
    return numpy.asarray(left * pixels + (1 - left) * pale + bright, numpy.float64)


def frost(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Cover the picture with ice: bright needles along the ridges of random clouds.

    The published corruption uses photographs of frost; this one draws it.
    """
    strength, ice = _FROST[level]
    height, width = pixels.shape[:2]
    needles = numpy.zeros((height, width))
    for _ in range(3):
        cloud = plasma(height, width, 1.5, random)
        middle = float(numpy.median(cloud))
        ridge = 1 - abs(cloud - middle) / max(float(abs(cloud - middle).max()), 1e-9)
        needles = numpy.maximum(needles, ridge**12)
    cover = 0.35 + 0.65 * plasma(height, width, 2.0, random)
    covered = strength * pixels + ice * (cover * (0.4 + 0.6 * needles))[:, :, None]
    return numpy.asarray(covered, numpy.float64)


def spatter(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Cover a share of the picture with dark splashes."""
    height, width = pixels.shape[:2]
    field = random.normal(0, 1, (height, width, 1))
    field = convolved(field, bell(max(0.7, 4 * scale_of(pixels))))
    spread = max(float(field.std()), 1e-9)
    bound = float(numpy.quantile(field, 1 - _SPATTER[level]))
    cover = ((field - bound) / (_EDGE * spread) + 0.5).clip(0, 1)
    return numpy.asarray(pixels * (1 - cover) + _MUD * cover, numpy.float64)
