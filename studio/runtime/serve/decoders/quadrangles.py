"""Cells of a map in a turned box: those that OpenCV's ``fillPoly`` fills."""

from __future__ import annotations

import numpy as np


def mean_in(likely: np.ndarray, corners: np.ndarray) -> float:
    """Return the mean of a map in a box, as PaddleOCR scores a place of text.

    Args:
        likely: Height x width.
        corners: Of the box (x, y), 4 x 2 in order.
    """
    last = np.array([likely.shape[1] - 1, likely.shape[0] - 1])
    begin = np.floor(corners.min(axis=0)).clip(0, last).astype(np.intp)
    end = np.ceil(corners.max(axis=0)).clip(0, last).astype(np.intp)
    inner = np.trunc(corners - begin.astype(corners.dtype)).astype(np.int64)
    columns, rows = (end - begin + 1).tolist()
    mask = filled(inner, rows, columns)
    if not mask.any():
        return 0.0
    part = likely[begin[1] : end[1] + 1, begin[0] : end[0] + 1]
    return float(part[mask].mean(dtype=np.float64))


def filled(corners: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Return which cells of a table are in a convex polygon or on its edges.

    Args:
        corners: Its corners (x, y) in whole cells, n x 2 in order.
    """
    y, x = np.mgrid[:rows, :columns]
    nexts = np.roll(corners, -1, axis=0)
    sides = [
        (two[0] - one[0]) * (y - one[1]) - (two[1] - one[1]) * (x - one[0])
        for one, two in zip(corners, nexts)
    ]
    inside: np.ndarray = np.all([one >= 0 for one in sides], axis=0)
    inside |= np.all([one <= 0 for one in sides], axis=0)
    low, high = corners.min(axis=0), corners.max(axis=0)  # a box without area is a line with ends
    inside &= (x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])
    for one, two in zip(corners, nexts):
        points = _line(one, two)
        kept = ((points >= 0) & (points < [columns, rows])).all(axis=1)
        inside[points[kept, 1], points[kept, 0]] = True
    return inside


def _line(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return the cells of a line, n x 2: from its left end, by Bresenham's algorithm of 1965."""
    if two[0] < one[0]:
        one, two = two, one
    gaps = two - one
    steps = int(np.abs(gaps).max())
    if not steps:
        return one[None]
    places = np.arange(steps + 1)[:, None] * np.abs(gaps)
    # Halves are rounded down.
    found: np.ndarray = one + np.sign(gaps) * -((steps - 2 * places) // (2 * steps))
    return found
