"""RISE and D-RISE: a map from the scores of randomly masked copies of a picture.

Petsiuk et al., "RISE: Randomized Input Sampling for Explanation of Black-box Models", 2018, and
"Black-box Explanation of Object Detectors via Saliency Maps", 2021. Here every mask comes with its
complement. The difference of the two scores weighs the mask, so that what all copies have in common
cancels out, and the map converges to the same order of places with fewer evaluations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from studio.evidence.explanations.attribution import Attribution
from studio.evidence.explanations.masks import MaskGenerator
from studio.evidence.explanations.perturbation import Perturbation
from studio.evidence.explanations.scoring import Floats, Scorer, chunk_size, too_few

LEAST = 16
"""Fewest evaluations of a map that is more than noise."""

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
    """Return the map of a score.

    Args:
        evaluations: Most samples to score; masks come in pairs.
        cells: Cells of the coarse grid along the longer side.

    Raises:
        UsageError: for fewer evaluations than ``LEAST``.
    """
    pairs = evaluations // (2 * altered.rows)
    if pairs < LEAST // 2:
        raise too_few("RISE", LEAST * altered.rows, evaluations)
    masks = MaskGenerator(altered.shape, grid_cells(altered.shape, cells), seed)
    halves = [numpy.zeros(altered.shape), numpy.zeros(altered.shape)]
    counts, done = [0, 0], 0
    piece = max(1, chunk_size(altered.sample) // (2 * altered.rows))
    # At least two pieces, one for each half.
    piece = min(piece, -(-pairs // 2))
    while done < pairs:
        count = min(piece, pairs - done)
        half = (done // piece) % 2
        halves[half] += _weighed(scorer, altered, masks, count)
        counts[half] += count
        done += count
    first, second = (total / max(count, 1) for total, count in zip(halves, counts, strict=True))
    whole = (halves[0] + halves[1]) / pairs
    return Attribution(whole, (first, second))


def _weighed(
    scorer: Scorer, altered: Perturbation, masks: MaskGenerator, count: int
) -> Floats:
    """Return the sum of masks, each weighed by the difference that it makes to its complement."""
    drawn = masks.draw(count)
    batch = altered.masked(numpy.concatenate([drawn, 1 - drawn]))
    scores = altered.means(scorer.scores(batch))
    differences = scores[:count] - scores[count:]
    centred = 2 * drawn.reshape(count, -1).astype(numpy.float64) - 1
    total: Floats = (differences @ centred).reshape(altered.shape)
    return total


def grid_cells(shape: Sequence[int], most: int) -> tuple[int, ...]:
    """Return the cells along each axis; small maps get fewer, of two pixels and more."""
    edge = max(max(shape) / most, 2.0)
    return tuple(max(1, round(size / edge)) for size in shape)
