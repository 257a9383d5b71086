"""Geometry of lines, areas and planes in a picture."""

from __future__ import annotations

import numpy as np

ANCHORS = ("bottom", "center", "top")
"""Points of a box that place an object: the middle of its lower edge, of itself, of its top."""


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


def edge_distance(polygon: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the distance of points from the nearest edge of a polygon.

    Args:
        polygon: Corners in their order, m x 2.
        points: n x 2.

    Returns:
        n distances in pixels.
    """
    edges = np.roll(polygon, -1, axis=0) - polygon
    offsets = points[:, None] - polygon
    lengths = np.maximum((edges**2).sum(axis=1), 1e-12)
    shares = np.clip((offsets * edges).sum(axis=2) / lengths, 0.0, 1.0)
    nearest = offsets - shares[:, :, None] * edges
    found: np.ndarray = np.sqrt((nearest**2).sum(axis=2).min(axis=1))
    return found


def anchor_points(corners: np.ndarray, anchor: str) -> np.ndarray:
    """Return the point that places each object.

    Args:
        corners: Left, top, right, bottom, n x 4.
        anchor: One of ``ANCHORS``.

    Returns:
        n x 2, in pixels.
    """
    found = np.empty((len(corners), 2))
    found[:, 0] = (corners[:, 0] + corners[:, 2]) / 2
    if anchor == "bottom":
        found[:, 1] = corners[:, 3]
    elif anchor == "top":
        found[:, 1] = corners[:, 1]
    else:
        found[:, 1] = (corners[:, 1] + corners[:, 3]) / 2
    return found


def line_distance(start: np.ndarray, end: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the signed distance of points from the line through two points.

    Returns:
        n distances in pixels: negative on the left hand of someone who looks from the start to
        the end in the picture as it is shown.
    """
    along = end - start
    offsets = points - start
    cross = along[0] * offsets[:, 1] - along[1] * offsets[:, 0]
    found: np.ndarray = cross / np.hypot(along[0], along[1])
    return found


def plane_matrix(points: np.ndarray, metres: np.ndarray) -> np.ndarray:
    """Return the homography from the picture to a plane, of four pairs of points.

    Direct linear transformation, Hartley and Zisserman, Multiple View Geometry (2003), ch. 4.

    Args:
        points: In the picture, 4 x 2.
        metres: The same points on the plane, 4 x 2.

    Returns:
        3 x 3.

    Raises:
        ValueError: when three of the points lie on one line.
    """
    rows = []
    for (x, y), (u, v) in zip(points, metres):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    matrix = np.array(rows, dtype=np.float64)
    if np.linalg.matrix_rank(matrix, tol=1e-9 * np.abs(matrix).max()) < 8:
        raise ValueError("three of its points lie on one line")
    solved = np.linalg.solve(matrix, metres.reshape(-1))
    return np.append(solved, 1.0).reshape(3, 3)


def on_plane(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the places of points of the picture on a plane, n x 2, in metres."""
    lifted = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    found: np.ndarray = lifted[:, :2] / lifted[:, 2:]
    return found
