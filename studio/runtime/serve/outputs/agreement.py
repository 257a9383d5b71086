"""Agreement of two answers to one request."""

from __future__ import annotations

from typing import Mapping, Optional

import numpy as np

from .detections import Scores, listed_boxes
from .uncertainty import BOXES, Uncertainty

SAME_PLACES = 0.95
"""Share of positions of a sequence that must have the same class."""
CLOSE = 0.1
"""Root mean square of the difference over that of the answer, for numbers that are no classes."""

OVERLAP = 0.5
"""Share of the union that two boxes of one thing have in common at least."""
FOUND, NEARLY = 0.5, 0.3
"""Scores: what one has found must be there for the other, at least nearly."""
MOST_FOUND = 0.8
"""Share of what one has found that the other must have, where many places tell of one thing.

A thing has an edge, at which two equally good versions differ. Of their boxes all must agree."""
_MOST_BOXES = 512

Outputs = Mapping[str, np.ndarray]


class Agreement:
    """Agreement of the answers of two versions of one model, by their findings.

    A detector is compared by boxes, or by places with classes where its answers are not yet boxes.
    A map of likelihoods is compared by cells, all else by outputs, one by one.
    """

    def __init__(self) -> None:
        self._doubt = Uncertainty()

    def same(self, mine: Outputs, theirs: Outputs) -> bool:
        """Return whether two answers to one request agree."""
        if self._doubt.form is None:
            self._doubt.of(mine)
        form = self._doubt.form
        if form is None or form.kind == BOXES:
            found, others = listed_boxes(mine), listed_boxes(theirs)
            if found is not None or others is not None:
                return _share(found, others) == _share(others, found) == 1.0
        if form is not None and form.scores is not None and form.scores.kinds is not None:
            return _same_places(form.scores, mine, theirs)
        if form is not None and form.cells is not None:
            return _same_cells(form.cells(mine), form.cells(theirs))
        return all(alike(mine[name], theirs[name]) for name in mine)


def _share(boxes: Optional[np.ndarray], others: Optional[np.ndarray]) -> float:
    """Of the boxes that one has found: how many are one of the other's, of the same class."""
    sure = _from(boxes, FOUND)
    there = _from(others, NEARLY)
    if not len(sure):
        return 1.0
    low = np.maximum(sure[:, None, :2], there[None, :, :2])
    high = np.minimum(sure[:, None, 2:4], there[None, :, 2:4])
    shared = (high - low).clip(min=0.0).prod(axis=2)
    sizes = [(rows[:, 2:4] - rows[:, :2]).clip(min=0.0).prod(axis=1) for rows in (sure, there)]
    union = sizes[0][:, None] + sizes[1][None, :] - shared
    fits = (shared >= OVERLAP * union) & (sure[:, None, 5] == there[None, :, 5])
    return float(fits.any(axis=1).mean())


def _from(boxes: Optional[np.ndarray], score: float) -> np.ndarray:
    """Return the boxes from a score on; an empty list has none."""
    rows = np.zeros((0, 6)) if boxes is None else boxes.astype(np.float64)
    return rows[rows[:, 4] >= score]


def _same_places(scores: Scores, mine: Outputs, theirs: Outputs) -> bool:
    """Of answers before suppression, where many places tell of one thing."""
    boxes = [_boxes(scores, one) for one in (mine, theirs)]
    if boxes[0] is not None and boxes[1] is not None:
        shares = (_share(boxes[0], boxes[1]), _share(boxes[1], boxes[0]))
        return min(shares) >= MOST_FOUND
    assert scores.kinds is not None
    likely, others = scores.read(mine), scores.read(theirs)
    if likely.shape != others.shape:
        return False
    alike = scores.kinds(mine) == scores.kinds(theirs)
    return _same_found(likely, others, alike)


def _boxes(scores: Scores, outputs: Outputs) -> Optional[np.ndarray]:
    """Return the likeliest boxes as ``listed_boxes`` has them; None if the rows are no boxes."""
    if scores.corners is None or scores.kinds is None:
        return None
    likely = scores.read(outputs)
    if not np.isfinite(likely).all():
        return None
    chosen = np.argsort(-likely, kind="stable")[:_MOST_BOXES]
    chosen = chosen[likely[chosen] >= NEARLY]
    corners = scores.corners(outputs)[chosen]
    if not np.isfinite(corners).all():
        return np.zeros((0, 6))  # what is nowhere was not found
    if not (corners[:, 2:] > corners[:, :2]).all():
        return None
    return np.column_stack([corners, likely[chosen], scores.kinds(outputs)[chosen]])


def _same_cells(mine: np.ndarray, theirs: np.ndarray) -> bool:
    """Of two maps: what is looked for, or each class but the commonest one, which is no thing."""
    if mine.shape != theirs.shape or not _are_numbers(mine, theirs):
        return False
    if mine.ndim == 1:
        return _same_found(mine, theirs, np.ones(len(mine), bool))
    kinds, others = mine.argmax(axis=1), theirs.argmax(axis=1)
    commonest = np.bincount(np.concatenate([kinds, others])).argmax()
    found, also = (kinds != commonest), (others != commonest)
    return _same_found(found.astype(float), also.astype(float), kinds == others)


def _are_numbers(*arrays: np.ndarray) -> bool:
    return all(bool(np.isfinite(array).all()) for array in arrays)


def _same_found(likely: np.ndarray, others: np.ndarray, alike: np.ndarray) -> bool:
    """Return whether each contains nearly all places of the other, with the same class."""
    if not _are_numbers(likely, others):
        return False
    for one, other in ((likely, others), (others, likely)):
        sure = one >= FOUND
        if sure.any() and (alike & (other >= NEARLY))[sure].mean() < MOST_FOUND:
            return False
    return True


def alike(mine: np.ndarray, theirs: np.ndarray) -> bool:
    """Compare the output of one model with that of another.

    Probabilities and scores (frames x classes, or rows that sum to one) agree when their largest is
    of the same class. Whole numbers and texts agree when they are equal, other numbers when they
    are close.
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
    """Return whether the last axis is one of classes."""
    if answer.ndim < 2 or answer.shape[-1] < 2:
        return False
    if answer.ndim == 2:
        return True
    first = answer.reshape(-1, answer.shape[-1])[0].astype(np.float64)
    return bool(first.min() >= 0.0 and abs(first.sum() - 1.0) < 1e-2)
