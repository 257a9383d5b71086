"""Ranges of activations and scales of weights with the least mean squared error.

The search over clipping thresholds follows R. Banner et al., "Post training 4-bit quantization of
convolutional networks for rapid-deployment" (2019); looking at the error behind the activation
function, instead of before it, lets a range end where the function is flat.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from studio_onnxruntime.activations import Doubles, Function, identity
from studio_onnxruntime.histogram import Histogram, Range

_LEVELS = 255
_EVEN_LEVELS = 127
_SHARES = numpy.concatenate([numpy.linspace(1, 0.4, 25), numpy.geomspace(0.38, 0.02, 16)])
_ROUNDS = 4


def fitted_range(histogram: Histogram, function: Function = identity) -> Range:
    """Return the asymmetric 8-bit range with the least squared error behind a function.

    Both ends are moved alternately until neither helps. The range holds an exact zero.
    """
    low, high = histogram.extremes()
    low, high = min(low, 0.0), max(high, 0.0)
    centres, counts = histogram.occupied()
    if not len(centres) or low == high:
        return low, high
    exact = function(centres)

    def error(ends: Range) -> float:
        return float((counts * (function(_rounded(centres, ends)) - exact) ** 2).sum())

    best = (low, high)
    for _ in range(_ROUNDS):
        before = best
        best = min([best, *((best[0], high * share) for share in _SHARES)], key=error)
        best = min([best, *((low * share, best[1]) for share in (*_SHARES, 0.0))], key=error)
        if best == before:
            break
    return best


def fitted_even_range(histogram: Histogram, function: Function = identity) -> Range:
    """Return the range around zero, in levels from -127 to 127, with the least squared error."""
    most = max(map(abs, histogram.extremes()))
    centres, counts = histogram.occupied()
    if not len(centres) or not most:
        return -most, most
    exact = function(centres)

    def error(end: float) -> float:
        step = end / _EVEN_LEVELS
        levels = numpy.clip(numpy.round(centres / step), -_EVEN_LEVELS, _EVEN_LEVELS)
        return float((counts * (function(levels * step) - exact) ** 2).sum())

    best = min((most * share for share in _SHARES), key=error)
    return -best, best


def _rounded(values: Doubles, ends: Range) -> Doubles:
    """Return values after a round trip through 8 bits between two ends."""
    step = (ends[1] - ends[0]) / _LEVELS
    if step <= 0:
        return numpy.zeros_like(values)
    zero = numpy.round(-ends[0] / step)
    level = numpy.clip(numpy.round(values / step) + zero, 0, _LEVELS)
    rounded: Doubles = (level - zero) * step
    return rounded


def clipped_weight(
    weight: NDArray[numpy.float32], axis: int, levels: int = 127
) -> NDArray[numpy.float32]:
    """Clip weights, in each channel, where symmetric levels lose least.

    Args:
        axis: Of the channels.
        levels: On either side of zero.
    """
    rows = numpy.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1)
    largest = numpy.abs(rows).max(axis=1, initial=0.0)
    best, threshold = numpy.full(len(rows), numpy.inf), largest.copy()
    for share in numpy.linspace(1, 0.5, 26, dtype=numpy.float32):
        limit = largest * share
        step = numpy.where(limit > 0, limit / levels, 1)[:, None]
        error = ((numpy.clip(numpy.round(rows / step), -levels, levels) * step - rows) ** 2).sum(1)
        better = error < best
        best, threshold = numpy.where(better, error, best), numpy.where(better, limit, threshold)
    shape = [1] * weight.ndim
    shape[axis] = -1
    limit = threshold.reshape(shape)
    return numpy.clip(weight, -limit, limit).astype(numpy.float32)
