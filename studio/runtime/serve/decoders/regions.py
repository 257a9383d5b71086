"""Regions of a map of likelihoods as turned rectangles, as detectors of text with DB need them.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", 2020: the map shows
the shrunken core of each text. A region is widened by its area times a ratio, divided by its
perimeter.
"""

from __future__ import annotations

from typing import Dict, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np

from .quadrangles import mean_in
from .rectangles import least_rectangle

_MOST_RUNS = 200_000
"""Of a map with more it is noise, and no text."""

_SMALLEST = 3.0
"""Least side of a region in cells, before and after it is widened by two more."""


_ONE_LINE = 10
"""Pixels between the upper left corners of two texts of one line, at most."""


class Region(NamedTuple):
    """A turned rectangle around a region.

    Attributes:
        corners: Four points (x, y) in cells, the upper left one first, clockwise, float32.
        score: Mean likelihood of the cells of the region, or of its box.
    """

    corners: np.ndarray
    score: float


def regions(
    likely: np.ndarray, threshold: float, least: float, widen: float, *, in_box: bool = False
) -> List[Region]:
    """Return the regions of a map, from top to bottom.

    Args:
        likely: Height x width, from 0 to 1.
        threshold: Cells with more belong to a region.
        least: Mean likelihood that a region needs.
        widen: Ratio by which regions are widened.
        in_box: Take the mean over the cells of its rectangle, before that is widened.

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
        if score < least and not in_box:
            continue
        # The middles of the cells, as OpenCV has them, on which these models were measured.
        outer = np.concatenate([begins, ends - 1])
        points = np.stack([outer, np.concatenate([rows, rows])], axis=1).astype(np.float64)
        rectangle = least_rectangle(points)
        if rectangle.shortest < _SMALLEST:
            continue
        score = mean_in(likely, rectangle.corners()) if in_box else score
        if score < least:
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
