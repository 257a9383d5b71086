"""The least turned rectangle around points, and the polygon at a distance around it.

Freeman and Shapira, "Determining the minimum-area encasing rectangle for an arbitrary closed
curve", 1975. Toussaint, "Solving geometric problems with the rotating calipers", 1983.

All is in single precision, step by step as in OpenCV's ``minAreaRect``. Chains of detectors cut its
corners to whole cells, where another rounding error would move a text by a pixel.
"""

from __future__ import annotations

from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

_TOLERANCE = 0.25
"""Of an arc that is made of straight steps: in cells, or in shares of a small radius."""

_Vector = Tuple[np.float32, np.float32]
_HALF, _ONE = np.float32(0.5), np.float32(1)


class Rectangle(NamedTuple):
    """A rectangle by its middle, its sides, and the direction of the first side."""

    middle: _Vector
    sides: _Vector
    degrees: np.float32

    @property
    def shortest(self) -> float:
        """Length of its shorter side."""
        return float(min(self.sides))

    def corners(self) -> np.ndarray:
        """Return the corners clockwise, the one nearest to the upper left first: 4 x 2, float32."""
        angle = float(self.degrees) * np.pi / 180
        across, along = (np.float32(one) * _HALF for one in (np.sin(angle), np.cos(angle)))
        (x, y), (width, height) = self.middle, self.sides
        one, two = (across * height, along * height), (along * width, across * width)
        found = np.array(
            [
                [x - one[0] - two[0], y + one[1] - two[1]],
                [x + one[0] - two[0], y - one[1] - two[1]],
                [x + one[0] + two[0], y - one[1] + two[1]],
                [x - one[0] + two[0], y + one[1] + two[1]],
            ],
            dtype=np.float32,
        )
        return np.roll(found, -int(found.sum(axis=1).argmin()), axis=0)

    def widened(self, ratio: float) -> Rectangle:
        """Return the rectangle around this one, whose edges are moved by area x ratio / perimeter.

        Corners are whole cells before and after, and the outer ones are round: so does the chain
        on which these models were measured, PaddleOCR with Clipper.
        """
        corners = self.corners().astype(np.float64)
        edges = np.roll(corners, -1, axis=0) - corners
        length = float(np.linalg.norm(edges, axis=1).sum())
        across = corners[2:] - corners[:2]
        area = abs(float(across[0, 0] * across[1, 1] - across[0, 1] * across[1, 0])) / 2
        distance = area * ratio / length if length else 0.0
        if distance <= 0.0:
            return self
        return least_rectangle(_round_offset(np.trunc(corners), distance), from_right=True)


def least_rectangle(points: np.ndarray, *, from_right: bool = False) -> Rectangle:
    """Return the rectangle of the least area around points (x, y), n x 2 in whole cells.

    Of equal ones the last counts, so that the order of the points matters. OpenCV's contours begin
    at the left end of their upper edge, polygons of Clipper at its right end.

    Args:
        from_right: Begin there.
    """
    hull = _hull(points)
    top = hull[:, 1] == hull[:, 1].min()
    end = hull[top, 0].max() if from_right else hull[top, 0].min()
    hull = np.roll(hull, -1 - int(np.flatnonzero(top & (hull[:, 0] == end))[0]), axis=0)
    if len(hull) < 3:
        middle = hull.mean(axis=0, dtype=np.float32)
        return Rectangle((middle[0], middle[1]), (np.float32(0), np.float32(0)), np.float32(0))
    corner, first, second = _frame(hull)
    middle_x = corner[0] + (first[0] + second[0]) * _HALF
    middle_y = corner[1] + (first[1] + second[1]) * _HALF
    width, height = (np.float32(np.hypot(float(x), float(y))) for x, y in (first, second))
    degrees = float(np.arctan2(float(first[1]), float(first[0]))) * 180 / np.pi
    if degrees >= 90:
        return Rectangle((middle_x, middle_y), (width, height), np.float32(degrees - 180))
    return Rectangle((middle_x, middle_y), (height, width), np.float32(degrees - 90))


def _frame(hull: np.ndarray) -> Tuple[_Vector, _Vector, _Vector]:
    """Return a corner of the least rectangle, and its two sides from there."""
    (a, b), (width, height), (left, low) = _calipers(hull)
    first = a * hull[left, 0] + hull[left, 1] * b
    second = -b * hull[low, 0] + hull[low, 1] * a
    scale = _ONE / (a * a + b * b)
    corner = (first * a - second * b) * scale, (a * second + b * first) * scale
    return corner, (a * width, b * width), (-b * height, a * height)


def _calipers(hull: np.ndarray) -> Tuple[_Vector, _Vector, Tuple[int, int]]:
    """Turn four calipers around a hull by a quarter.

    Returns:
        The direction in which the rectangle is least, its sides, and the numbers of the points on
        its left and lower side.
    """
    count = len(hull)
    edges = np.roll(hull, -1, axis=0) - hull
    lengths = np.sqrt((edges.astype(np.float64) ** 2).sum(axis=1))
    units = edges * (1 / lengths).astype(np.float32)[:, None]
    at = [int(hull[:, 1].argmin()), int(hull[:, 0].argmax())]
    at += [int(hull[:, 1].argmax()), int(hull[:, 0].argmin())]
    best, least = None, np.float32(np.inf)
    for _ in range(count):
        turned = [_turned(edges[at[side]], side) for side in range(4)]
        chosen = 0
        for side in range(1, 4):
            (x, y), (u, v) = turned[side], turned[chosen]
            if y * u - x * v < 0:
                chosen = side
        a, b = _turned(units[at[chosen]], chosen)
        at[chosen] = (at[chosen] + 1) % count
        across, along = hull[at[1]] - hull[at[3]], hull[at[2]] - hull[at[0]]
        width, height = across[0] * a + across[1] * b, along[1] * a - along[0] * b
        if best is None or width * height <= least:
            least, best = width * height, ((a, b), (width, height), (at[3], at[0]))
    assert best is not None  # a hull has points
    return best


def _turned(vector: np.ndarray, quarters: int) -> _Vector:
    """Return a vector turned back by quarters."""
    x, y = vector
    return ((x, y), (y, -x), (-x, -y), (-y, x))[quarters]


def _hull(points: np.ndarray) -> np.ndarray:
    """Return the convex hull, by Andrew's monotone chain, float32."""
    ordered = sorted(set(map(tuple, points.tolist())))
    if len(ordered) < 3:
        return np.array(ordered, dtype=np.float32).reshape(-1, 2)
    chain = _chain(ordered)[:-1] + _chain(ordered[::-1])[:-1]
    return np.array(chain, dtype=np.float32)


def _chain(points: Sequence[Tuple[float, float]]) -> List[Tuple[float, float]]:
    found: List[Tuple[float, float]] = []
    for point in points:
        while len(found) > 1 and _turn(found[-2], found[-1], point) <= 0:
            found.pop()
        found.append(point)
    return found


def _turn(one: Tuple[float, float], two: Tuple[float, float], three: Tuple[float, float]) -> float:
    first = (two[0] - one[0]) * (three[1] - one[1])
    return first - (two[1] - one[1]) * (three[0] - one[0])


def _round_offset(corners: np.ndarray, distance: float) -> np.ndarray:
    """Return the points of a polygon around another one, in whole cells.

    Its edges are moved outwards and joined by arcs of short steps: Clipper's offset (Johnson) with
    round joins and its usual tolerance of a quarter of a cell.

    Args:
        corners: Of a convex polygon, clockwise in a picture, n x 2.
    """
    edges = np.roll(corners, -1, axis=0) - corners
    lengths = np.linalg.norm(edges, axis=1)
    corners, edges = corners[lengths > 0], edges[lengths > 0] / lengths[lengths > 0, None]
    if len(corners) < 2:
        return corners
    normals = np.stack([edges[:, 1], -edges[:, 0]], axis=1)
    tolerance = min(_TOLERANCE, distance * _TOLERANCE)
    a_turn = np.pi / np.arccos(1 - tolerance / distance)
    found: List[np.ndarray] = []
    for at, corner in enumerate(corners):
        before, after = normals[at - 1], normals[at]
        cross = before[0] * after[1] - before[1] * after[0]
        angle = float(np.arctan2(cross, before @ after))
        steps = max(1, int(np.floor(a_turn / (2 * np.pi) * abs(angle) + 0.5)))
        turns = 2 * np.pi / a_turn * np.arange(steps) * np.sign(angle)
        cosines, sines = np.cos(turns), np.sin(turns)
        arc = np.stack(
            [before[0] * cosines - before[1] * sines, before[0] * sines + before[1] * cosines],
            axis=1,
        )
        found.append(corner + distance * np.concatenate([arc, after[None]]))
    points = np.concatenate(found)
    rounded: np.ndarray = np.trunc(points + np.copysign(0.5, points))
    return rounded
