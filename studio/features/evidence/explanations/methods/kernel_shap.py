"""Kernel SHAP: Shapley values by weighted regression on sampled sets of features.

Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", 2017. Paired sampling and
the exact constraint are those of Covert and Lee, "Improving KernelSHAP", 2021. Sizes of sets are
taken completely, the smallest and largest first, where sampling would draw each set at least once.
The rest is sampled together with its complements.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from math import comb

import numpy

from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.perturbation import Choices, Perturbation
from studio.features.evidence.explanations.methods.scorer import Floats, Scorer, too_few
from studio.features.evidence.explanations.methods.shapley import worths
from studio.lazy_dataclass import dataclass

_DRAWS = 3
"""Draws for each pair, of which equal ones count once."""

_RIDGE = 1e-10
"""Keeps the equations solvable where few sets were sampled; relative to their diagonal."""


@dataclass(frozen=True, slots=True)
class _Sets:
    """Sets of features with their weights in the regression.

    Attributes:
        complete: Number of sets, at the front, of sizes that were taken completely.
    """

    choices: Choices
    weights: Floats
    complete: int


def kernel_shap(scorer: Scorer, altered: Perturbation, evaluations: int, seed: int) -> Attribution:
    """Return the value of each feature; they add up to the change from the reference.

    Exact where the bound allows all sets.

    Raises:
        UsageError: when the bound is too small for the number of features.
    """
    count = altered.count
    affordable = evaluations // altered.rows - 2
    if affordable < 2 * count:
        raise too_few("Kernel SHAP", (2 * count + 2) * altered.rows, evaluations)
    ends = numpy.array([[False] * count, [True] * count])
    sets = _chosen(count, affordable, seed)
    worth = worths(scorer, altered, numpy.concatenate([ends, sets.choices]))
    low, high, scores = float(worth[0]), float(worth[1]), worth[2:]
    values = _solved(sets.choices, sets.weights, scores, low, high)
    return Attribution(values, _halves(sets, scores, low, high), by_feature=True)


def _chosen(count: int, affordable: int, seed: int) -> _Sets:
    """Return complete sizes as far as the bound allows, and samples of the others."""
    if count == 1:
        return _Sets(numpy.zeros((0, 1), dtype=numpy.bool_), numpy.zeros(0), 0)
    mass = {size: (count - 1) / (size * (count - size)) for size in range(1, count)}
    rows: list[Choices] = []
    weights: list[Floats] = []
    left = affordable
    for size in range(1, count // 2 + 1):
        pair = {size, count - size}
        share = sum(mass[one] for one in pair) / sum(mass.values())
        # A size whose sets would be drawn less than once each is sampled like the rest.
        if left * share < len(pair) * comb(count, size):
            break
        for one in sorted(pair):
            rows.append(_all_of(count, one))
            weights.append(numpy.full(len(rows[-1]), mass.pop(one) / comb(count, one)))
        left -= len(pair) * comb(count, size)
    complete = sum(map(len, rows))
    if mass and left >= 2:
        drawn, shares = _drawn(count, mass, left // 2, seed)
        rows.append(drawn)
        weights.append(shares * sum(mass.values()))
    return _Sets(numpy.concatenate(rows), numpy.concatenate(weights), complete)


def _all_of(count: int, size: int) -> Choices:
    found = numpy.zeros((comb(count, size), count), dtype=numpy.bool_)
    for row, chosen in zip(found, itertools.combinations(range(count), size), strict=True):
        row[list(chosen)] = True
    return found


def _drawn(count: int, mass: dict[int, float], pairs: int, seed: int) -> tuple[Choices, Floats]:
    """Return random sets of the remaining sizes, each followed by its complement.

    A set that is drawn again costs no evaluation, and gets its share of the weight twice.
    """
    random = numpy.random.Generator(numpy.random.PCG64(seed))
    shares = numpy.array(list(mass.values()))
    sizes = random.choice(list(mass), size=_DRAWS * pairs, p=shares / shares.sum())
    order = random.permuted(numpy.tile(numpy.arange(count), (len(sizes), 1)), axis=1)
    chosen = order < sizes[:, None]
    chosen ^= chosen[:, :1]  # of a set and its complement, the one without the first feature
    _, first, times = numpy.unique(chosen, axis=0, return_index=True, return_counts=True)
    kept = numpy.argsort(first, kind="stable")[:pairs]
    found = numpy.empty((2 * len(kept), count), dtype=numpy.bool_)
    found[0::2], found[1::2] = chosen[first[kept]], ~chosen[first[kept]]
    weights = numpy.repeat(times[kept], 2).astype(numpy.float64)
    return found, weights / weights.sum()


def _solved(choices: Choices, weights: Floats, scores: Floats, low: float, high: float) -> Floats:
    """Return the values of least weighted squares that add up to ``high - low``."""
    count = choices.shape[1]
    if count == 1:
        return numpy.array([high - low])
    sets = choices.astype(numpy.float64)
    weighed = sets * weights[:, None]
    matrix = sets.T @ weighed
    matrix[numpy.diag_indices(count)] += _RIDGE * matrix.trace() / count
    right = numpy.stack([weighed.T @ (scores - low), numpy.ones(count)], axis=1)
    free, unit = numpy.linalg.solve(matrix, right).T
    multiplier = (free.sum() - (high - low)) / unit.sum()
    values: Floats = free - multiplier * unit
    return values


def _halves(sets: _Sets, scores: Floats, low: float, high: float) -> tuple[Floats, Floats] | None:
    """Return the values by either half of the sampled pairs; None where nothing was sampled."""
    if sets.complete == len(scores) or (len(scores) - sets.complete) < 4:
        return None
    first, second = (
        _solved(sets.choices[part], sets.weights[part], scores[part], low, high)
        for part in _parts(sets)
    )
    return first, second


def _parts(sets: _Sets) -> Iterator[Choices]:
    """Yield the sets of either half: all complete ones with every second sampled pair."""
    number = numpy.arange(len(sets.choices)) - sets.complete
    for half in (0, 1):
        yield (number < 0) | (number // 2 % 2 == half)
