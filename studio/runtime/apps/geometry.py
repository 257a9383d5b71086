"""Geometry of lines and areas in a picture."""

from __future__ import annotations

import numpy as np


def inside(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return which points lie in a polygon (even-odd rule).

    Args:
        polygon: Corners in their order, m x 2.
        points: n x 2.

    Returns:
        n truth values.
    """
    x, y = points[:, 0, None], points[:, 1, None]
    first, second = polygon, np.roll(polygon, -1, axis=0)
    spans = (first[:, 1] > y) != (second[:, 1] > y)
    rise = second[:, 1] - first[:, 1]
    slope = (second[:, 0] - first[:, 0]) / np.where(rise == 0, 1.0, rise)
    left = x < first[:, 0] + slope * (y - first[:, 1])
    found: np.ndarray = (spans & left).sum(axis=1) % 2 == 1
    return found
