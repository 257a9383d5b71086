"""References: what the removed parts of a sample become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy

from studio.api import Array, UsageError
from studio.features.evidence.explanations.question import AlteredInput, InputKind

Reference = Literal["auto", "mean", "zero", "blur", "samples"]

MOST_SAMPLES = 8
"""Samples of the data as references; each one multiplies the evaluations."""

_BLUR_CELLS = 6


def reference_for(
    sample: Array, altered: AlteredInput, data: Sequence[Array], kind: Reference, token: int
) -> Array:
    """Return one or several references, each of the shape of the sample.

    Args:
        data: The altered input of samples of the data.
        kind: ``auto`` is the mean of the data, and the given token for a text.
        token: Number of the token that removed tokens become.

    Raises:
        UsageError: when the kind does not suit the input.
    """
    if altered.kind is InputKind.TEXT:
        if kind not in ("auto", "zero"):
            raise UsageError(f"The reference {kind} does not suit a text.", hint="Give --token.")
        return numpy.full_like(sample, token)
    if kind == "zero":
        return numpy.zeros_like(sample)
    if kind == "blur":
        if altered.kind is not InputKind.PICTURE:
            raise UsageError("The reference blur is for pictures alone.")
        return _blurred(sample, altered.axes)
    fitting = [one for one in data if one.shape == sample.shape] or [sample]
    if kind == "samples":
        step = max(1, len(fitting) // MOST_SAMPLES)
        return numpy.concatenate(fitting[::step][:MOST_SAMPLES])
    mean = numpy.mean([one.astype(numpy.float64) for one in fitting], axis=0)
    if altered.kind is not InputKind.ROW:  # one value for each channel
        mean = mean.mean(axis=altered.axes, keepdims=True)
    if sample.dtype.kind != "f":
        mean = numpy.round(mean)
    return numpy.broadcast_to(mean, sample.shape).astype(sample.dtype)


def _blurred(sample: Array, axes: Sequence[int]) -> Array:
    """Return the picture as seen through a few large cells."""
    found = sample.astype(numpy.float64)
    for axis in axes:
        size = found.shape[axis]
        cells = min(_BLUR_CELLS, size)
        at = numpy.clip((numpy.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
        weights = numpy.clip(1 - abs(at[:, None] - numpy.arange(cells)), 0, None)
        means = weights / weights.sum(axis=0)
        found = numpy.moveaxis(numpy.moveaxis(found, axis, -1) @ means @ weights.T, -1, axis)
    if sample.dtype.kind != "f":
        found = numpy.round(found)
    return found.astype(sample.dtype)
