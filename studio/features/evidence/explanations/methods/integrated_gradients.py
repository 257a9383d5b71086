"""Integrated gradients: the slopes of a score, summed on the straight way from the reference.

Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", 2017. The integral is a
Gauss-Legendre sum. Its values add up to the change of the score, up to the error of the sum.
"""

from __future__ import annotations

import numpy

from studio.api import Array
from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.perturbation import Perturbation
from studio.features.evidence.explanations.methods.scorer import Floats, Scorer, chunk_size, too_few

_FEWEST = 16
"""Steps of the first sum; each further one has twice as many."""

_CLOSE = 0.005
"""Error of the sum, as a share of the change of the score, that is small enough."""

_LEAST_CHANGE = 1e-3
"""Smaller changes of the score count as this one."""


def integrated_gradients(
    scorer: Scorer, slopes: Scorer, altered: Perturbation, evaluations: int
) -> Attribution:
    """Return the share of each place; the number of steps grows until the sum is close.

    Args:
        slopes: Gives the gradient of the score of each sample instead of the score.

    Raises:
        UsageError: when the bound is too small.
    """
    left = evaluations - 1 - altered.rows
    if left < _FEWEST * altered.rows:
        least = (_FEWEST + 1) * altered.rows + 1
        raise too_few("The integral", least, evaluations)
    change = float(scorer.scores(altered.sample)[0] - scorer.scores(altered.reference).mean())
    steps = _FEWEST
    found = along_the_way(slopes, altered, steps)
    left -= steps * altered.rows
    while abs(float(found.sum()) - change) > _CLOSE * max(abs(change), _LEAST_CHANGE):
        if 2 * steps * altered.rows > left:
            break
        steps *= 2
        left -= steps * altered.rows
        found = along_the_way(slopes, altered, steps)
    if len(altered.axes) == 1 and altered.sample.ndim == 2:
        return Attribution(found, by_feature=True, steps=steps)
    return Attribution(found, steps=steps)


def along_the_way(slopes: Scorer, altered: Perturbation, steps: int) -> Floats:
    """Return the map by a number of steps: shares of all numbers of a place are added up."""
    points, weights = numpy.polynomial.legendre.leggauss(steps)
    shares, weights = (points + 1) / 2, weights / 2
    total = numpy.zeros(altered.sample.shape[1:])
    size = max(1, chunk_size(altered.sample))
    for reference in altered.reference.astype(numpy.float64):
        way = altered.sample[0].astype(numpy.float64) - reference
        slope = numpy.zeros(total.shape)
        for start in range(0, steps, size):
            part = slice(start, start + size)
            batch = _between(altered, reference, way, shares[part])
            slope += numpy.tensordot(weights[part], slopes.scores(batch), axes=1)
        total += way * slope / altered.rows
    others = tuple(axis - 1 for axis in range(1, altered.sample.ndim) if axis not in altered.axes)
    found: Floats = total.sum(axis=others)
    return found


def _between(altered: Perturbation, reference: Floats, way: Floats, shares: Floats) -> Array:
    """Return samples between the reference and the sample."""
    spread = shares.reshape(-1, *[1] * way.ndim)
    return numpy.ascontiguousarray(reference + spread * way, dtype=altered.sample.dtype)
