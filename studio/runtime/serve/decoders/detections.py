"""Boxes of a detector: suppression, and their place in the picture."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from ..images.preprocess import PicturePlacement

_BLOCK = 128
"""Boxes that are compared with each other at once."""


class Detections(NamedTuple):
    """Boxes in pixels of the model's input.

    Attributes:
        corners: Left, top, right, bottom of each, n x 4.
        scores: From 0 to 1, n.
        classes: Numbers of the classes, n.
    """

    corners: np.ndarray
    scores: np.ndarray
    classes: np.ndarray

    def chosen(self, index: np.ndarray) -> Detections:
        """Return some of them, by their numbers or as a mask."""
        return Detections(self.corners[index], self.scores[index], self.classes[index])

    def likely(self, threshold: float) -> Detections:
        """Return those with at least a score and with finite corners, the likeliest first."""
        kept = (self.scores >= threshold) & np.isfinite(self.corners).all(axis=1)
        found = self.chosen(kept)
        return found.chosen(np.argsort(-found.scores, kind="stable"))


def suppressed(boxes: Detections, overlap: float, most: int) -> Detections:
    """Return boxes without those that a likelier one of the same class covers; see ``unique``."""
    return boxes.chosen(unique(boxes, overlap, most))


def unique(boxes: Detections, overlap: float, most: int) -> np.ndarray:
    """Return the numbers of the boxes that no likelier one of the same class covers.

    Greedy non-maximum suppression, as of Felzenszwalb et al., "Object Detection with
    Discriminatively Trained Part Based Models", 2010.

    Args:
        boxes: The likeliest first.
        overlap: Least intersection over union at which two boxes are one object.
        most: Most numbers to return.
    """
    left = np.arange(len(boxes.scores))
    kept: List[int] = []
    while len(left) and len(kept) < most:
        some, left = left[:_BLOCK], left[_BLOCK:]
        found = some[_uncovered(_covers(boxes, some, some, overlap))]
        kept.extend(found.tolist())
        if len(left):
            left = left[~_covers(boxes, found, left, overlap).any(axis=0)]
    return np.array(kept[:most], dtype=np.intp)


def _uncovered(covers: np.ndarray) -> np.ndarray:
    """Return the rows of a table that no earlier row among them covers, as a mask."""
    alive = np.ones(len(covers), dtype=bool)
    for number, row in enumerate(covers):
        if alive[number]:
            alive[number + 1 :] &= ~row[number + 1 :]
    return alive


def _covers(boxes: Detections, ones: np.ndarray, others: np.ndarray, overlap: float) -> np.ndarray:
    """Return whether boxes of one class overlap by more than a share, ones x others."""
    mine, theirs = boxes.corners[ones][:, None], boxes.corners[others][None]
    width = np.minimum(mine[..., 2], theirs[..., 2]) - np.maximum(mine[..., 0], theirs[..., 0])
    height = np.minimum(mine[..., 3], theirs[..., 3]) - np.maximum(mine[..., 1], theirs[..., 1])
    shared = width.clip(0) * height.clip(0)
    union = _areas(theirs) + _areas(mine) - shared
    shares = np.divide(shared, union, out=np.zeros_like(union), where=union > 0)
    same = boxes.classes[ones][:, None] == boxes.classes[others][None]
    found: np.ndarray = same & (shares > overlap)
    return found


def _areas(corners: np.ndarray) -> np.ndarray:
    sides = (corners[..., 2:] - corners[..., :2]).clip(0)
    found: np.ndarray = sides[..., 0] * sides[..., 1]
    return found


def in_picture(
    boxes: Detections, placement: Optional[PicturePlacement], size: Optional[Tuple[int, int]]
) -> Detections:
    """Return boxes in pixels of the picture, cut at its edges.

    Args:
        placement: Where the picture was in the input; None: the boxes stay as they are.
        size: Height and width of the picture.
    """
    if placement is None or size is None:
        return boxes
    points = points_in_picture(boxes.corners.reshape(-1, 2), placement, size)
    return boxes._replace(corners=points.reshape(-1, 4))


def points_in_picture(
    points: np.ndarray, placement: PicturePlacement, size: Tuple[int, int]
) -> np.ndarray:
    """Return points (x, y) of the input in pixels of the picture, moved to its edges.

    Shares of the input are computed in the precision of the points.
    """
    height, width = size
    moved = points - np.array([placement.left, placement.top], dtype=points.dtype)
    shares = moved / np.array([placement.columns, placement.rows], dtype=points.dtype)
    found: np.ndarray = shares.astype(np.float64) * [width, height]
    return found.clip(0, [width, height])
