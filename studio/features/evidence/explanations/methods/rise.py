"""RISE and D-RISE: a map from the scores of randomly masked copies of a picture.

Petsiuk et al., "RISE: Randomized Input Sampling for Explanation of Black-box Models", 2018.
Petsiuk et al., "Black-box Explanation of Object Detectors via Saliency Maps", 2021.

Two things differ from the papers, and both let the map converge with fewer evaluations. Each mask
keeps one half of its coarse cells exactly. The map is the covariance of scores and masks, in which
their means cancel out. The order of the places in the limit is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.masks import DrawnMasks, MaskGenerator
from studio.features.evidence.explanations.methods.perturbation import Perturbation
from studio.features.evidence.explanations.methods.scorer import Floats, Scorer, chunk_size, too_few

LEAST = 16
"""Fewest masks of a map that is more than noise."""

CELLS = 7
DETECTOR_CELLS = 16
"""Cells along the longer side: an object covers a small part of the picture of a detector."""


def rise(
    scorer: Scorer,
    altered: Perturbation,
    evaluations: int,
    seed: int,
    cells: int = CELLS,
) -> Attribution:
    """Return the map of a score: one mask for each evaluation, and no more in memory than a batch.

    Args:
        evaluations: Most samples to score.
        cells: Cells of the coarse grid along the longer side.

    Raises:
        UsageError: for fewer evaluations than ``LEAST``.
    """
    count = evaluations // altered.rows
    if count < LEAST:
        raise too_few("RISE", LEAST * altered.rows, evaluations)
    masks = MaskGenerator(altered.shape, grid_cells(altered.shape, cells), seed)
    halves = (_Covariance(masks), _Covariance(masks))
    piece = max(2, chunk_size(altered.sample) // altered.rows // 2 * 2)
    for start in range(0, count, piece):
        drawn = masks.draw(min(piece, count - start))
        scores = altered.means(scorer.scores(altered.masked(drawn.masks)))
        for offset, half in enumerate(halves):
            half.add(drawn.every_second(offset), scores[offset::2])
    whole = halves[0].with_other(halves[1])
    return Attribution(whole.value(), (halves[0].value(), halves[1].value()))


class _Covariance:
    """Covariance of scores with the masks at each place, summed up piece by piece."""

    def __init__(self, generator: MaskGenerator) -> None:
        self._generator = generator
        self._count, self._scores = 0, 0.0
        self._masks, self._products = generator.total(), generator.total()

    def add(self, drawn: DrawnMasks, scores: Floats) -> None:
        """Add masks with their scores."""
        self._count += len(scores)
        self._scores += float(scores.sum())
        self._masks.add(drawn, numpy.ones(len(scores)))
        self._products.add(drawn, scores)

    def with_other(self, other: _Covariance) -> _Covariance:
        """Return the covariance over the masks of both."""
        found = _Covariance(self._generator)
        found._count, found._scores = self._count + other._count, self._scores + other._scores
        found._masks = self._masks.plus(other._masks)
        found._products = self._products.plus(other._products)
        return found

    def value(self) -> Floats:
        """Return the covariance at each place."""
        mean = self._scores / self._count
        found: Floats = self._products.plus(self._masks, -mean).value() / self._count
        return found


def grid_cells(shape: Sequence[int], most: int) -> tuple[int, ...]:
    """Return the cells along each axis; small maps get fewer, of two pixels and more."""
    edge = max(max(shape) / most, 2.0)
    return tuple(max(1, round(size / edge)) for size in shape)
