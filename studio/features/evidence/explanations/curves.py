"""Deletion and insertion curves: whether a map names what the score depends on.

Petsiuk et al., "RISE", 2018. Places are removed from the sample, or added to the reference, in the
order of the map. The better the map, the faster the score falls and the faster it rises.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.perturbation import Choices, Perturbation
from studio.features.evidence.explanations.methods.scorer import Floats, Scorer
from studio.lazy_dataclass import dataclass

MOST_STEPS = 16


@dataclass(frozen=True, slots=True)
class Curves:
    """Scores with growing shares of the places removed and added, and the areas below them.

    Attributes:
        shares: From 0 to 1.
    """

    shares: Floats
    deletion: Floats
    insertion: Floats

    @property
    def deletion_area(self) -> float:
        """Mean score while places are removed; lower is better."""
        return _area(self.shares, self.deletion)

    @property
    def insertion_area(self) -> float:
        """Mean score while places are added; higher is better."""
        return _area(self.shares, self.insertion)


def curves(scorer: Scorer, altered: Perturbation, found: Attribution, steps: int) -> Curves:
    """Return both curves; ``2 * steps + 2`` scores for each reference, or fewer.

    Args:
        steps: Most steps of each curve; there are no more than places.
    """
    order = numpy.argsort(-found.values.reshape(-1), kind="stable")
    steps = min(steps, len(order))
    counts = numpy.round(numpy.arange(steps + 1) * len(order) / steps).astype(numpy.intp)
    rank = numpy.empty(len(order), dtype=numpy.intp)
    rank[order] = numpy.arange(len(order))
    chosen = rank[None, :] < counts[:, None]
    removed = _scores(scorer, altered, found, ~chosen)
    added = _scores(scorer, altered, found, chosen)
    return Curves(counts / len(order), removed, added)


def cost(altered: Perturbation, steps: int) -> int:
    """Return the most scores that both curves need."""
    return (2 * steps + 2) * altered.rows


def _scores(scorer: Scorer, altered: Perturbation, found: Attribution, chosen: Choices) -> Floats:
    scores = [_batch(altered, found, row) for row in chosen]
    return numpy.concatenate([altered.means(scorer.scores(batch)) for batch in scores])


def _batch(altered: Perturbation, found: Attribution, row: Choices) -> NDArray[numpy.generic]:
    """Return the copies of one step."""
    if found.by_feature:
        return altered.kept(row[None])
    return altered.masked(row.reshape(1, *altered.shape).astype(numpy.float32))


def _area(shares: Floats, scores: Floats) -> float:
    widths = numpy.diff(shares)
    return float((widths * (scores[1:] + scores[:-1]) / 2).sum())
