"""Pictures through frosted glass, and of a camera that zooms while it exposes."""

from __future__ import annotations

import numpy
from numpy.random import Generator
from numpy.typing import NDArray

from studio.features.evidence.robustness.blur import bell, convolved, scale_of
from studio.features.evidence.robustness.noise import Pixels
from studio.features.evidence.robustness.weather import sampled

_GLASS = ((0.7, 1.0, 2), (0.9, 2.0, 1), (1.0, 2.0, 3), (1.1, 3.0, 2), (1.5, 4.0, 2))
"""Deviation of the blur, reach of a shift and number of shifts of each level."""

_LEAST_GLASS = ((0.3, 0.4), (0.35, 0.7), (0.4, 0.7), (0.45, 1.0), (0.5, 1.3))
"""Deviation and reach on small pictures, in pixels."""

_ZOOM = (1.11, 1.16, 1.21, 1.26, 1.31)
_EXPOSURES = 8


def glass(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Blur, take each value from a random place near it, and blur again."""
    scale, (deviation, reach, times) = scale_of(pixels), _GLASS[level]
    least = _LEAST_GLASS[level]
    kernel = bell(max(deviation * scale, least[0]))
    reach = max(reach * scale, least[1])
    found = convolved(pixels, kernel)
    down, right = numpy.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(numpy.float64)
    for _ in range(times):
        shift = random.uniform(-reach, reach, (2, *pixels.shape[:2]))
        found = sampled(found, down + shift[0], right + shift[1])
    return convolved(found, kernel)


def zoom(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Average the picture at growing sizes, all around its middle."""
    total = pixels.copy()
    for factor in numpy.linspace(1, _ZOOM[level], _EXPOSURES + 1)[1:]:
        total += _larger(pixels, float(factor))
    return total / (_EXPOSURES + 1)


def _larger(pixels: Pixels, factor: float) -> Pixels:
    """Return the middle of a picture, enlarged (bilinear) to its size: rows, then columns."""
    found = pixels
    for axis in (0, 1):
        lower, upper, share = _places(pixels.shape[axis], factor)
        share = share.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        found = found.take(lower, axis) * (1 - share) + found.take(upper, axis) * share
    return found


def _places(size: int, factor: float) -> tuple[NDArray[numpy.intp], NDArray[numpy.intp], Pixels]:
    """Return the two pixels that each place mixes, and the share of the second."""
    middle = (size - 1) / 2
    at = middle + (numpy.arange(size) - middle) / factor
    lower = at.astype(numpy.intp)
    upper = (lower + 1).clip(None, size - 1)
    return lower, upper, numpy.asarray(at - lower, numpy.float64)
