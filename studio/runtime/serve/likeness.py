"""Whether two answers to one request say the same."""

from __future__ import annotations

from typing import Mapping, Optional

import numpy as np

from .detections import listed_boxes
from .doubt import BOXES, Doubt

SAME_PLACES = 0.95
"""Share of positions of a sequence that must have the same class."""
CLOSE = 0.1
"""Root mean square of the difference over that of the answer, for numbers that are no classes."""

OVERLAP = 0.5
"""Share of the union that two boxes of one thing have in common at least."""
FOUND, NEARLY = 0.5, 0.3
"""Scores: a box that one has found must be there for the other, at least nearly."""

Outputs = Mapping[str, np.ndarray]


class Likeness:
    """Of the answers of two versions of one model; of a detector's the boxes are compared."""

    def __init__(self) -> None:
        self._form = Doubt()

    def same(self, mine: Outputs, theirs: Outputs) -> bool:
        """Whether two answers to one request say the same, in all outputs."""
        if not self._form.kind:
            self._form.of(mine)
        if self._form.kind in ("", BOXES):
            found, others = listed_boxes(mine), listed_boxes(theirs)
            if found is not None or others is not None:
                return _all_in(found, others) and _all_in(others, found)
        return all(alike(mine[name], theirs[name]) for name in mine)


def _all_in(boxes: Optional[np.ndarray], others: Optional[np.ndarray]) -> bool:
    """Whether each box that one has found is one of the other's, of the same class."""
    sure = _from(boxes, FOUND)
    there = _from(others, NEARLY)
    if not len(sure):
        return True
    low = np.maximum(sure[:, None, :2], there[None, :, :2])
    high = np.minimum(sure[:, None, 2:4], there[None, :, 2:4])
    shared = (high - low).clip(min=0.0).prod(axis=2)
    sizes = [(rows[:, 2:4] - rows[:, :2]).clip(min=0.0).prod(axis=1) for rows in (sure, there)]
    union = sizes[0][:, None] + sizes[1][None, :] - shared
    fits = (shared >= OVERLAP * union) & (sure[:, None, 5] == there[None, :, 5])
    return bool(fits.any(axis=1).all())


def _from(boxes: Optional[np.ndarray], score: float) -> np.ndarray:
    """Those of a score and more; none of an empty list, which tells no boxes."""
    rows = np.zeros((0, 6)) if boxes is None else boxes.astype(np.float64)
    return rows[rows[:, 4] >= score]


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
