"""Logarithmic buckets of durations: percentiles in memory that does not grow."""

from __future__ import annotations

import math
from typing import Sequence, Tuple

import numpy as np

_GROWTH = math.log(1.05)
_FIRST_S = 10e-6
BUCKETS = 350
"""From 10 microseconds in steps of 5 %, the last one ends above four minutes."""


def buckets_of(seconds: np.ndarray) -> np.ndarray:
    """Numbers of the logarithmic buckets that hold durations."""
    logarithms = np.log(np.maximum(seconds, 1e-9) / _FIRST_S) / _GROWTH
    found: np.ndarray = np.clip(1 + np.floor(logarithms), 0, BUCKETS - 1).astype(np.int64)
    return found


def bucket_bounds(index: int) -> Tuple[float, float]:
    """Lower and upper end of a bucket, in seconds."""
    if index == 0:
        return 0.0, _FIRST_S
    return _FIRST_S * math.exp((index - 1) * _GROWTH), _FIRST_S * math.exp(index * _GROWTH)


def percentile(counts: Sequence[int], share: float) -> float:
    """A percentile in seconds, read from bucket counts; the error is at most one bucket (5 %).

    Args:
        share: Between 0 and 1.

    Returns:
        0.0 when nothing was counted.
    """
    total = sum(counts)
    if not total:
        return 0.0
    wanted = share * total
    seen = 0
    for index, count in enumerate(counts):
        if count and seen + count >= wanted:
            low, high = bucket_bounds(index)
            return low + (high - low) * max(0.0, wanted - seen) / count
        seen += count
    return bucket_bounds(BUCKETS - 1)[1]
