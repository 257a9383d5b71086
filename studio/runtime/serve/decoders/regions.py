"""Regions of a map of likelihoods as turned rectangles, as detectors of text with DB need them.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", 2020: the map shows
the shrunken core of each text. A region is widened by its area times a ratio, divided by its
perimeter.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np

_MOST_RUNS = 200_000
"""Of a map with more it is noise, and no text."""

_TOLERANCE = 0.25
"""Of an arc that is made of straight steps: in cells, or in shares of a small radius."""

_SMALLEST = 3.0
"""Least side of a region in cells, before and after it is widened by two more."""


_ONE_LINE = 10
"""Pixels between the upper left corners of two texts of one line, at most."""


class Region(NamedTuple):
    """A turned rectangle around a region.

    Attributes:
        corners: Four points (x, y) in cells, the upper left one first, clockwise.
        score: Mean likelihood of the cells of the region.
    """

    corners: np.ndarray
    score: float


def regions(likely: np.ndarray, threshold: float, least: float, widen: float) -> List[Region]:
    """Return the regions of a map, from top to bottom.

    Args:
        likely: Height x width, from 0 to 1.
        threshold: Cells with more belong to a region.
        least: Mean likelihood that a region needs.
        widen: Ratio by which regions are widened.

    Raises:
        ValueError: when the map is noise.
    """
    sums = np.concatenate([np.zeros((len(likely), 1)), np.cumsum(likely, axis=1)], axis=1)
    found = []
    for group in _connected(likely > threshold):
        runs = np.array(group)
        rows, begins, ends = runs.T
        cells = int((ends - begins).sum())
        if cells < _SMALLEST:
            continue
        score = float((sums[rows, ends] - sums[rows, begins]).sum()) / cells
        if score < least:
            continue
        # The middles of the cells, as OpenCV has them, on which these models were measured.
        outer = np.concatenate([begins, ends - 1])
        points = np.stack([outer, np.concatenate([rows, rows])], axis=1).astype(np.float64)
        rectangle = _least_rectangle(_hull(points))
        if rectangle.shortest < _SMALLEST:
            continue
        wide = rectangle.widened(widen)
        if wide.shortest >= _SMALLEST + 2:
            found.append(Region(wide.corners(), score))
    return found


def in_reading_order(found: Iterable[Region]) -> List[Region]:
    """Return regions from top to bottom, those of one line from left to right.

    Their upper left corners are compared in whole pixels, as PaddleOCR does.
    """
    placed = [(one.corners[0].round().tolist(), one) for one in found]
    placed.sort(key=lambda one: (one[0][1], one[0][0]))
    for number in range(1, len(placed)):
        at = number
        while at and _comes_before(placed[at][0], placed[at - 1][0]):
            placed[at - 1], placed[at] = placed[at], placed[at - 1]
            at -= 1
    return [one for _, one in placed]


def _comes_before(one: Sequence[float], other: Sequence[float]) -> bool:
    return abs(one[1] - other[1]) < _ONE_LINE and one[0] < other[0]


Run = Tuple[int, int, int]


def _connected(mask: np.ndarray) -> List[List[Run]]:
    """Return the runs (row, begin, end) of each 8-connected region."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), dtype=np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, begins = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    if len(rows) > _MOST_RUNS:
        raise ValueError("The map is noise: it has {:,} runs of cells.".format(len(rows)))
    runs: List[Run] = list(zip(rows.tolist(), begins.tolist(), ends.tolist()))
    parents = list(range(len(runs)))
    _join_rows(runs, parents)
    groups: Dict[int, List[Run]] = {}
    for number, run in enumerate(runs):
        groups.setdefault(_root(parents, number), []).append(run)
    return list(groups.values())


def _join_rows(runs: Sequence[Run], parents: List[int]) -> None:
    """Join each run with those of the row above that it touches, also at a corner."""
    above = 0
    for number, (row, begin, end) in enumerate(runs):
        while runs[above][0] < row - 1 or (runs[above][0] == row - 1 and runs[above][2] < begin):
            above += 1
        other = above
        while other < number and runs[other][0] == row - 1 and runs[other][1] <= end:
            parents[_root(parents, number)] = _root(parents, other)
            other += 1


def _root(parents: List[int], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


def _hull(points: np.ndarray) -> np.ndarray:
    """Return the convex hull, by Andrew's monotone chain."""
    ordered = sorted(set(map(tuple, points.tolist())))
    return np.array(_chain(ordered)[:-1] + _chain(ordered[::-1])[:-1])


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


class _Rectangle(NamedTuple):
    """A rectangle by its middle, its sides, and the direction of the first side."""

    middle: np.ndarray
    sides: np.ndarray
    along: np.ndarray

    @property
    def shortest(self) -> float:
        return float(self.sides.min())

    def widened(self, ratio: float) -> _Rectangle:
        """Return the rectangle around this one, whose edges are moved by area x ratio / perimeter.

        Corners are whole cells before and after, and the outer ones are round: so does the chain
        on which these models were measured, PaddleOCR with Clipper.
        """
        distance = float(np.prod(self.sides)) * ratio / (2 * float(self.sides.sum()))
        if distance <= 0.0:
            return self
        return _least_rectangle(_hull(_round_offset(np.trunc(self.corners()), distance)))

    def corners(self) -> np.ndarray:
        """Return the corners clockwise, the one nearest to the upper left first."""
        across = np.array([-self.along[1], self.along[0]])
        half = self.sides / 2
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        found = np.array(
            [self.middle + x * half[0] * self.along + y * half[1] * across for x, y in signs]
        )
        return np.roll(found, -int(found.sum(axis=1).argmin()), axis=0)


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


def _least_rectangle(hull: np.ndarray) -> _Rectangle:
    """Return the rectangle of the least area: one side lies on an edge of the hull."""
    edges = np.roll(hull, -1, axis=0) - hull
    directions = edges / np.linalg.norm(edges, axis=1, keepdims=True)
    across = np.stack([-directions[:, 1], directions[:, 0]], axis=1)
    one, two = directions @ hull.T, across @ hull.T
    low = np.stack([one.min(axis=1), two.min(axis=1)], axis=1)
    high = np.stack([one.max(axis=1), two.max(axis=1)], axis=1)
    best = int(np.prod(high - low, axis=1).argmin())
    middle = (low[best] + high[best]) / 2
    place = middle[0] * directions[best] + middle[1] * across[best]
    return _Rectangle(place, high[best] - low[best], directions[best])
