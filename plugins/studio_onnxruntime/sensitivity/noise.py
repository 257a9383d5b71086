"""Signal to noise at a model's outputs, in decibels, such that few samples are enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy
from numpy.typing import NDArray

from studio.api import Array

CEILING_DB = 200.0
"""Value for equal outputs, because JSON has no infinity."""

_FLOOR = 10 ** (-CEILING_DB / 10)


Ratios = Mapping[str, float]
"""Decibels of each output, for one sample."""


def decibels(exact: Mapping[str, Array], found: Mapping[str, Array]) -> Ratios:
    """Return the mean decibels over vectors of the last axis, for each output of a sample.

    An output whose size the data decide, as behind NonMaxSuppression, is left out where it differs.

    Decibels are averaged instead of noise: where one decision of a thousand has flipped, its noise
    outweighs all the rest, and the ranking of layers hangs on chance.
    """
    return {
        name: _decibels(array, found[name])
        for name, array in exact.items()
        if array.dtype.kind in "fiu" and array.shape == found[name].shape
    }


def worst(samples: Sequence[Ratios]) -> float:
    """Return the mean over samples, at the worst output."""
    names = {name for one in samples for name in one}
    values = ([one[name] for one in samples if name in one] for name in names)
    return min((float(numpy.mean(each)) for each in values), default=CEILING_DB)


def sqnr_db(exact: Sequence[Mapping[str, Array]], found: Sequence[Mapping[str, Array]]) -> float:
    """Return the mean decibels of samples at the worst output.

    Args:
        exact, found: The outputs by name, for each sample.
    """
    return worst([decibels(a, b) for a, b in zip(exact, found, strict=True)])


def _decibels(exact: Array, found: Array) -> float:
    """Return the decibels of one array, with vectors weighted by the root of their energy."""
    wanted = _floats(exact)
    noise, signal = _energy(_floats(found) - wanted), _energy(wanted)
    weight = numpy.sqrt(signal)
    if not weight.sum():
        return CEILING_DB if not noise.sum() else -CEILING_DB
    ratio = noise / numpy.maximum(signal, 1e-300)
    each = -10 * numpy.log10(numpy.clip(ratio, _FLOOR, 1 / _FLOOR))
    return float((weight * each).sum() / weight.sum())


def _floats(array: Array) -> NDArray[numpy.float32]:
    return numpy.atleast_1d(array).astype(numpy.float32, copy=False)


def _energy(array: NDArray[numpy.float32]) -> NDArray[numpy.float64]:
    """Return the energy of each vector along the last axis."""
    found: NDArray[numpy.float32] = numpy.einsum("...i,...i->...", array, array)
    return found.astype(numpy.float64)
