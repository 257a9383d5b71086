"""Models as plain functions of a batch, for methods without a runtime."""

from __future__ import annotations

from collections.abc import Callable

import numpy
from numpy.typing import NDArray

from studio.features.evidence.explanations.methods.perturbation import Perturbation, each, tiles

Floats = NDArray[numpy.float64]


class FunctionScorer:
    """A function as a scorer that counts its samples and the largest batch."""

    def __init__(self, function: Callable[[Floats], Floats]) -> None:
        self._function = function
        self.count, self.largest = 0, 0

    def scores(self, batch: Floats) -> Floats:
        self.count += len(batch)
        self.largest = max(self.largest, batch.nbytes)
        return self._function(batch)


def linear(weights: Floats) -> FunctionScorer:
    return FunctionScorer(lambda batch: batch @ weights)


def row(values: Floats, references: Floats | None = None) -> Perturbation:
    """A row of features; the reference is zero."""
    sample = values[None]
    given = numpy.zeros_like(sample) if references is None else references
    return Perturbation(sample, given, (1,), each((len(values),)))


PATCH = (slice(20, 32), slice(36, 48))
"""Rows and columns that the score of ``patch_picture`` depends on."""


def patch_score(batch: Floats) -> Floats:
    seen = batch[:, :, PATCH[0], PATCH[1]].mean(axis=(1, 2, 3)).astype(numpy.float64)
    return 1 / (1 + numpy.exp(5 - 10 * seen))


def patch_picture(side: int = 64) -> Perturbation:
    """A picture of noise with one bright patch."""
    random = numpy.random.default_rng(1)
    picture = random.random((1, 3, side, side)).astype(numpy.float32) * 0.4
    picture[:, :, PATCH[0], PATCH[1]] = 1
    return Perturbation(picture, numpy.zeros_like(picture), (2, 3), tiles((side, side), 8))
