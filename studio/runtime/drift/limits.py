"""Bins of a signal, and how far a window of the same data may be from them by chance alone."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Sequence, Tuple

import numpy as np

from .reference import MAX_BINS

FALSE_WINDOWS = 0.01
"""Share of windows that may differ by chance. Two of three, and so an alarm: about 2 in 10,000."""
FALSE_TOGETHER = 2e-4
"""The same of three windows as one, which raises an alarm alone."""
_FRAMES_OF_A_BIN = 6
_DRAWS = 50_000
_RARE = 1e-3
_EVEN = 1.3


def alike_counts(counts: Sequence[int]) -> Tuple[int, ...]:
    """Return sorted counts, made equal if nearly so: their limit is then computed once."""
    if max(counts) <= _EVEN * min(counts):
        return (sum(counts) // len(counts),) * len(counts)
    return tuple(sorted(counts))


@lru_cache(maxsize=None)
def chance_limit(counts: Tuple[int, ...], window: int, share: float, drawn: int = _DRAWS) -> float:
    """Return the chi-square that a window of the same data exceeds at this probability.

    The shares of the bins are not known, only counted in the reference data: the null is a
    Dirichlet mixture of multinomials, whose tail is drawn (fixed seed). The plain chi-square
    distribution would take a small reference for the truth, and alarm by it.

    Args:
        counts: Frames of the reference in each bin.
        share: Of windows that may exceed the limit.
        drawn: Windows that are drawn.
    """
    draws = np.random.default_rng(20)
    seen = np.array(counts, float)
    shares = draws.dirichlet(seen, drawn)
    windows = draws.multinomial(window, shares)
    expected = seen / seen.sum() * window
    statistics = (np.square(windows - expected) / expected).sum(axis=1)
    if share >= _RARE:
        return float(np.quantile(statistics, 1.0 - share))
    # So few draws lie beyond that the tail, which falls a little faster than this, is continued.
    less, rare = np.quantile(statistics, (1.0 - 10 * _RARE, 1.0 - _RARE))
    return float(rare + (rare - less) * math.log10(_RARE / share))


def edges_of(column: np.ndarray) -> Tuple[float, ...]:
    """Return upper edges of bins with nearly equal counts, or none if nearly all are the same.

    An edge lies half-way between two values that occur: another processor rounds otherwise.
    """
    ordered = np.sort(column[np.isfinite(column)]).astype(float)
    bins = min(MAX_BINS, len(ordered) // _FRAMES_OF_A_BIN)
    found: list[float] = []
    for number in range(1, bins):
        place = len(ordered) * number // bins
        above = np.searchsorted(ordered, ordered[place - 1], side="right")
        if above < len(ordered):
            edge = float(np.float32((ordered[place - 1] + ordered[above]) / 2))
            if not found or edge > found[-1]:
                found.append(edge)
    return tuple(found)
