"""Exact Shapley values of a score, where the features are few.

Shapley, "A Value for n-Person Games", 1953: the mean change that a feature makes, over all orders
in which features can be added. The score of a set of features is that of the sample with the others
replaced by the reference (or its mean over several references).
"""

from __future__ import annotations

from math import comb

import numpy
from numpy.typing import NDArray

from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.perturbation import Choices, Perturbation
from studio.features.evidence.explanations.methods.scorer import Floats, Scorer, chunk_size, too_few

MOST_FEATURES = 12
"""More features need more than 4,096 scores."""


def shapley(scorer: Scorer, altered: Perturbation, evaluations: int) -> Attribution:
    """Return the exact value of each feature; they add up to the change from the reference.

    Raises:
        UsageError: when the bound is smaller than the number of sets of features.
    """
    count = altered.count
    needed = (1 << count) * altered.rows
    if needed > evaluations:
        raise too_few(f"Exact Shapley of {count} features", needed, evaluations)
    sets = numpy.arange(1 << count, dtype=numpy.int64)
    worth = worths(scorer, altered, (sets[:, None] >> numpy.arange(count)) & 1 == 1)
    sizes = numpy.array([int(one).bit_count() for one in sets])
    shares = numpy.array([1 / (count * comb(count - 1, size)) for size in range(count)])
    values = [_value(worth, sets, sizes, shares, feature) for feature in range(count)]
    return Attribution(numpy.array(values), by_feature=True)


def worths(scorer: Scorer, altered: Perturbation, choices: Choices) -> Floats:
    """Return the score of each set of features, n × features, in pieces of bounded memory."""
    size = max(1, chunk_size(altered.sample) // altered.rows)
    pieces = (choices[start : start + size] for start in range(0, len(choices), size))
    found = [altered.means(scorer.scores(altered.kept(piece))) for piece in pieces]
    return numpy.concatenate(found)


def _value(
    worth: Floats,
    sets: NDArray[numpy.int64],
    sizes: NDArray[numpy.int64],
    shares: Floats,
    feature: int,
) -> float:
    without = sets[(sets >> feature) & 1 == 0]
    gains = worth[without | (1 << feature)] - worth[without]
    return float((shares[sizes[without]] * gains).sum())
