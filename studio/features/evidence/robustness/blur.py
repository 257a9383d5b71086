"""Blur of pictures: out of focus, and moved. Lengths are shares of the picture's shorter side."""

from __future__ import annotations

import math

import numpy
from numpy.random import Generator

from studio.features.evidence.robustness.noise import Pixels

_REFERENCE = 224
"""Side of the pictures whose radii the five levels are."""

_DEFOCUS = (3.0, 4.0, 6.0, 8.0, 10.0)
_MOTION = (10.0, 15.0, 20.0, 25.0, 30.0)
_LEAST_RADIUS = (0.55, 0.7, 0.85, 1.0, 1.2)
_LEAST_LENGTH = (1.2, 1.5, 2.0, 2.5, 3.0)
"""Pixels of each level on small pictures, where shares of the side would change nothing."""


def defocus(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Average over a disk, as a lens out of focus does."""
    radius = max(_LEAST_RADIUS[level], _DEFOCUS[level] * scale_of(pixels))
    reach = math.ceil(radius)
    down, right = numpy.mgrid[-reach : reach + 1, -reach : reach + 1]
    # The edge of the disk is one pixel wide, so that small radii differ.
    return convolved(pixels, numpy.clip(radius + 0.5 - numpy.hypot(down, right), 0, 1))


def motion(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Average along a line of random direction, as a moved camera does."""
    length = max(_LEAST_LENGTH[level], _MOTION[level] * scale_of(pixels))
    return convolved(pixels, line_kernel(length, random.uniform(0, math.pi)))


def line_kernel(length: float, angle: float) -> Pixels:
    """Return the weights of a line through the middle."""
    reach = math.ceil(length / 2)
    down, right = numpy.mgrid[-reach : reach + 1, -reach : reach + 1]
    along = right * math.cos(angle) + down * math.sin(angle)
    beside = right * math.sin(angle) - down * math.cos(angle)
    line = numpy.clip(length / 2 + 0.5 - abs(along), 0, 1) * numpy.clip(1 - abs(beside), 0, 1)
    return numpy.asarray(line, numpy.float64)


def bell(deviation: float) -> Pixels:
    """Return the weights of a normal distribution."""
    reach = math.ceil(3 * deviation)
    line = numpy.exp(-(numpy.arange(-reach, reach + 1) ** 2) / (2 * deviation**2))
    return numpy.outer(line, line)


def convolved(pixels: Pixels, kernel: Pixels) -> Pixels:
    """Return pixels averaged with the weights of an odd kernel; edges are mirrored."""
    reach = kernel.shape[0] // 2
    sides = [(reach, reach), (reach, reach), (0, 0)]
    wide = numpy.pad(pixels, sides, mode="symmetric")
    shape = (_fast_length(wide.shape[0]), _fast_length(wide.shape[1]))
    spectrum = (
        numpy.fft.rfft2(wide, shape, axes=(0, 1))
        * numpy.fft.rfft2(kernel / kernel.sum(), shape)[:, :, None]
    )
    found = numpy.fft.irfft2(spectrum, shape, axes=(0, 1))
    kept = found[2 * reach : wide.shape[0], 2 * reach : wide.shape[1]]
    return numpy.asarray(kept, numpy.float64)


def _fast_length(least: int) -> int:
    """Return a length without large prime factors, which are slow to transform."""
    length = least
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return length
        length += 1


def scale_of(pixels: Pixels) -> float:
    """Return the shorter side as a share of that of the pictures that lengths are given for."""
    return float(min(pixels.shape[:2])) / _REFERENCE
