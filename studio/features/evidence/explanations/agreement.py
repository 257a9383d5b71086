"""How far two maps agree, and whether a map points at a known place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

from studio.features.evidence.explanations.methods.scorer import Floats

TOP_SHARE = 0.1
"""Share of the places that count as the top of a map."""


def rank_correlation(first: Floats, second: Floats) -> float:
    """Return Spearman's correlation, from -1 to 1; 0 where a map is the same everywhere.

    Spearman, "The Proof and Measurement of Association between Two Things", 1904.
    """
    ranks = [_ranks(one.reshape(-1)) for one in (first, second)]
    centred = [one - one.mean() for one in ranks]
    size = float(numpy.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float((centred[0] * centred[1]).sum() / size) if size else 0.0


def top_overlap(first: Floats, second: Floats, share: float = TOP_SHARE) -> float:
    """Return the intersection over union of the highest places of both maps, from 0 to 1."""
    count = max(1, round(first.size * share))
    tops = [set(_order(one)[:count].tolist()) for one in (first, second)]
    return len(tops[0] & tops[1]) / len(tops[0] | tops[1])


def points_at(values: Floats, box: Sequence[float]) -> bool:
    """Return whether the highest place of a map is in a box: the pointing game.

    Zhang et al., "Top-down Neural Attention by Excitation Backprop", 2016.

    Args:
        box: Left, top, right and bottom in places of the map; right and bottom are outside.
    """
    row, column = numpy.unravel_index(int(values.argmax()), values.shape)
    left, top, right, bottom = box
    return bool(left <= column < right and top <= row < bottom)


def _order(values: Floats) -> NDArray[numpy.intp]:
    return numpy.argsort(-values.reshape(-1), kind="stable")


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0; equal values get their mean rank."""
    _, inverse, counts = numpy.unique(values, return_inverse=True, return_counts=True)
    ends = numpy.cumsum(counts)
    found: Floats = (ends - (counts + 1) / 2)[inverse]
    return found
