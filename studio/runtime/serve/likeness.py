"""Whether two answers to one request say the same."""

from __future__ import annotations

import numpy as np

SAME_PLACES = 0.95
"""Share of positions of a sequence that must have the same class."""
CLOSE = 0.1
"""Root mean square of the difference over that of the answer, for numbers that are no classes."""


def alike(mine: np.ndarray, theirs: np.ndarray) -> bool:
    """Compare the output of one model with that of another.

    Probabilities and scores (frames x classes, or rows that sum to one) say the same when their
    largest is of the same class; whole numbers and texts when they are equal; other numbers when
    they are close.
    """
    if mine.shape != theirs.shape:
        return False
    if mine.dtype.kind not in "fc":
        return bool(np.array_equal(mine, theirs))
    if not mine.size:
        return True
    if is_of_classes(theirs):
        same = mine.argmax(axis=-1) == theirs.argmax(axis=-1)
        return bool(same.mean() >= SAME_PLACES)
    gap = np.sqrt(np.mean(np.square(mine.astype(np.float64) - theirs)))
    size = np.sqrt(np.mean(np.square(theirs.astype(np.float64))))
    return bool(gap <= CLOSE * size) if np.isfinite(gap) else False


def is_of_classes(answer: np.ndarray) -> bool:
    """Whether the last axis is one of classes."""
    if answer.ndim < 2 or answer.shape[-1] < 2:
        return False
    if answer.ndim == 2:
        return True
    first = answer.reshape(-1, answer.shape[-1])[0].astype(np.float64)
    return bool(first.min() >= 0.0 and abs(first.sum() - 1.0) < 1e-2)
