"""Weather and light on pictures: fog, and another brightness."""

from __future__ import annotations

import numpy
from numpy.random import Generator

from studio.features.evidence.robustness.noise import Pixels

_BRIGHTNESS = (0.1, 0.2, 0.3, 0.4, 0.5)
_FOG = ((1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4))
"""Strength, and how fast the octaves of the fog fade."""

_OCTAVES = 7


def brightness(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Raise the largest channel of each pixel, and the others in proportion."""
    top = pixels.max(axis=2, keepdims=True)
    wanted = (top + _BRIGHTNESS[level]).clip(0, 1)
    even = top <= 1e-9
    scaled = pixels * numpy.divide(wanted, top, out=numpy.ones_like(top), where=~even)
    return numpy.asarray(numpy.where(even, wanted, scaled), numpy.float64)


def fog(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Add a cloud of random octaves, and keep the brightest value."""
    strength, decay = _FOG[level]
    brightest = max(float(pixels.max()), 1e-9)
    cloud = plasma(pixels.shape[0], pixels.shape[1], decay, random)
    return (pixels + strength * cloud[:, :, None]) * brightest / (brightest + strength)


def plasma(height: int, width: int, decay: float, random: Generator) -> Pixels:
    """Return a cloud between 0 and 1: octaves of noise, each weaker than the coarser one."""
    cloud = numpy.zeros((height, width))
    for octave in range(_OCTAVES):
        points = 2**octave + 1
        grid = random.random((points, points))
        cloud += stretched(grid, height, width) / decay**octave
        if points > max(height, width):
            break
    spread = float(cloud.max() - cloud.min())
    return (cloud - cloud.min()) / spread if spread else cloud


def stretched(grid: Pixels, height: int, width: int) -> Pixels:
    """Return a grid of points interpolated (bilinear) to a height and width."""
    found = grid
    for axis, size in enumerate((height, width)):
        at = numpy.linspace(0, grid.shape[axis] - 1, size)
        lower = at.astype(numpy.intp)
        upper = numpy.minimum(lower + 1, grid.shape[axis] - 1)
        share = (at - lower).reshape((-1, 1) if axis == 0 else (1, -1))
        found = found.take(lower, axis) * (1 - share) + found.take(upper, axis) * share
    return found


def sampled(pixels: Pixels, down: Pixels, right: Pixels) -> Pixels:
    """Return pixels at fractional positions (bilinear); outside, the nearest edge."""
    last_row, last_column = pixels.shape[0] - 1, pixels.shape[1] - 1
    down, right = down.clip(0, last_row), right.clip(0, last_column)
    top, left = down.astype(numpy.int64), right.astype(numpy.int64)
    below, beyond = numpy.minimum(top + 1, last_row), numpy.minimum(left + 1, last_column)
    y, x = (down - top)[..., None], (right - left)[..., None]
    flat, width = pixels.reshape(-1, pixels.shape[2]), pixels.shape[1]
    top, below = top * width, below * width
    # One index for each pixel is taken in a third of the time of two.
    above = flat.take(top + left, 0) * (1 - x) + flat.take(top + beyond, 0) * x
    under = flat.take(below + left, 0) * (1 - x) + flat.take(below + beyond, 0) * x
    return numpy.asarray(above * (1 - y) + under * y, numpy.float64)
