"""Boxes of a detector: suppression, and their place in the picture."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from ..images.preprocess import PicturePlacement


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
        first, rest = left[0], left[1:]
        kept.append(int(first))
        shared = _overlaps(boxes.corners[first], boxes.corners[rest])
        same = boxes.classes[rest] == boxes.classes[first]
        left = rest[~(same & (shared > overlap))]
    return np.array(kept, dtype=np.intp)


def _overlaps(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of a box with others."""
    begin, end = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    shared = np.prod(np.clip(end - begin, 0, None), axis=1)
    areas = np.prod(np.clip(others[:, 2:] - others[:, :2], 0, None), axis=1)
    union = areas + np.prod(np.clip(one[2:] - one[:2], 0, None)) - shared
    found: np.ndarray = np.where(union > 0, shared / np.where(union > 0, union, 1), 0.0)
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
