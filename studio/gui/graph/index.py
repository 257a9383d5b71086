"""Boxes and lines of a laid out graph in arrays, and which of them touch an area.

Imported with the first scene, on the background thread: numpy takes a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from studio.api import GraphLayout
from studio.gui.graph.area import Area

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]
Flags = NDArray[np.bool_]

REACH = 512.0
"""Length in pixels from which on a line is looked at for every area."""


_MOST_PIXELS = 1 << 22
"""In a larger picture the boxes are sorted instead."""


class Lines:
    """Straight lines, found by area.

    Attributes:
        ends: x and y of both ends of each, a row a line.

    Args:
        across: The graph runs from left to right; the lines are sorted in its direction.
    """

    def __init__(self, ends: Floats, *, across: bool = False) -> None:
        self._across = across
        along = _exchanged(ends) if across else ends
        top = np.minimum(along[:, 1], along[:, 3])
        order = np.argsort(top, kind="stable")
        self.ends = ends[order]
        self._top = top[order]
        self._bottom = np.maximum(along[:, 1], along[:, 3])[order]
        self._left = np.minimum(along[:, 0], along[:, 2])[order]
        self._right = np.maximum(along[:, 0], along[:, 2])[order]
        is_long = self._bottom - self._top > REACH
        self._long = np.flatnonzero(is_long)
        self._short = np.flatnonzero(~is_long)
        self._short_tops = self._top[self._short]

    def __len__(self) -> int:
        return len(self.ends)

    def touching(self, area: Area, shortest: float = 0.0) -> Floats:
        """Return rows of ``ends`` whose rectangle touches an area.

        Args:
            shortest: Lines that are shorter in both directions are left out.
        """
        if self._across:
            area = area.exchanged()
        bounds = np.searchsorted(self._short_tops, (area.top - REACH, area.bottom))
        near = np.concatenate((self._short[bounds[0] : bounds[1]], self._long))
        left, right = self._left[near], self._right[near]
        top, bottom = self._top[near], self._bottom[near]
        touches = (top <= area.bottom) & (bottom >= area.top)
        touches &= (left <= area.right) & (right >= area.left)
        if shortest:
            touches &= (bottom - top >= shortest) | (right - left >= shortest)
        found: Floats = self.ends[near[touches]]
        return found


class Ways:
    """The boxes that each box is connected with in one direction.

    Args:
        begins, ends: Both boxes of each edge.
        count: How many boxes there are.
    """

    def __init__(self, begins: Numbers, ends: Numbers, count: int) -> None:
        self._ends = ends[np.argsort(begins, kind="stable")]
        self._first = np.concatenate(([0], np.cumsum(np.bincount(begins, minlength=count))))

    def of(self, box: int) -> list[int]:
        """Return the boxes at the other ends of a box's edges, in the order of the edges."""
        boxes: list[int] = self._ends[self._first[box] : self._first[box + 1]].tolist()
        return boxes


class Index:
    """The places of a layout in arrays.

    Attributes:
        x, y, width, height: Of each box.
        across: Whether the graph runs from left to right.
        source, target: Boxes of each edge.
        after, before: The boxes that each box feeds, and those that feed it.
        widest_fan: The most edges that leave or reach one box.
        lines: What is drawn of all edges: where several run on one line, one of them.
    """

    def __init__(self, layout: GraphLayout, *, across: bool = False) -> None:
        self.across = across
        self.x, self.y = _floats(layout.x), _floats(layout.y)
        self.width, self.height = _floats(layout.width), _floats(layout.height)
        # Boxes are sorted in the direction of the graph: an area holds few of them.
        starts, extents = (self.x, self.width) if across else (self.y, self.height)
        self._longest = float(extents.max(initial=0.0))
        drawn = np.flatnonzero(self.width)
        self._in_order: Numbers = drawn[np.argsort(starts[drawn], kind="stable")]
        self._starts = starts[self._in_order]
        count = len(layout.edges)
        self.source: Numbers = np.fromiter((one[0] for one in layout.edges), np.intp, count)
        self.target: Numbers = np.fromiter((one[1] for one in layout.edges), np.intp, count)
        self.after = Ways(self.source, self.target, len(self.x))
        self.before = Ways(self.target, self.source, len(self.x))
        fans = (np.bincount(self.source), np.bincount(self.target))
        self.widest_fan = max(int(fan.max(initial=0)) for fan in fans)
        self._ends, self._edge = self._segments(layout.bends)
        self.lines = self._lines(self._ends, self.source[self._edge])

    def boxes_in(self, area: Area) -> Numbers:
        """Boxes that may touch an area, in the graph's order; those without width are left out."""
        sides, extents = (self.y, self.height) if self.across else (self.x, self.width)
        if self.across:
            area = area.exchanged()
        first = np.searchsorted(self._starts, area.top - self._longest)
        last = np.searchsorted(self._starts, area.bottom, "right")
        near = self._in_order[first:last]
        side = sides[near]
        found: Numbers = near[(side <= area.right) & (side + extents[near] >= area.left)]
        return found

    def edges_of(self, box: int) -> Numbers:
        """Edges that touch a box."""
        return np.flatnonzero((self.source == box) | (self.target == box))

    def edges_between(self, among: Flags) -> Numbers:
        """Edges whose both ends are among some boxes."""
        return np.flatnonzero(among[self.source] & among[self.target])

    def among(self, boxes: Iterable[int]) -> Flags:
        """For each box of the graph whether it is one of these."""
        found = np.zeros(len(self.x), bool)
        found[list(boxes)] = True
        return found

    def lines_of(self, edges: Numbers) -> Lines:
        """Return all lines of some edges."""
        wanted = np.zeros(len(self.source), bool)
        wanted[edges] = True
        own = np.flatnonzero(wanted[self._edge])
        ends, source = self._ends[own], self.source[self._edge[own]]
        return self._lines(ends, source)

    def _lines(self, ends: Floats, source: Numbers) -> Lines:
        along = _exchanged(ends) if self.across else ends
        return Lines(ends[_distinct(along, source)], across=self.across)

    def spots(self, boxes: Numbers, across: float, down: float) -> Numbers:
        """Return one box of each pixel in which several would begin.

        Args:
            across, down: Pixels for one of the scene.
        """
        if not len(boxes):
            return boxes
        column = np.floor(self.x[boxes] * across).astype(np.int64)
        row = np.floor(self.y[boxes] * down).astype(np.int64)
        column -= column.min()
        row -= row.min()
        wide, high = int(column.max()) + 1, int(row.max()) + 1
        if wide * high > _MOST_PIXELS:
            first = np.unique(row * wide + column, return_index=True)[1]
            return np.asarray(boxes[first])
        picture = np.full(wide * high, -1, np.intp)
        picture[(row * wide + column)[::-1]] = boxes[::-1]  # the first of each pixel stays
        return picture[picture >= 0]

    def _segments(self, bends: tuple[tuple[float, ...], ...]) -> tuple[Floats, Numbers]:
        """Both ends of each piece of each edge, and the edge that it belongs to."""
        source, target, count = self.source, self.target, len(self.source)
        lengths = np.fromiter(map(len, bends), np.intp, count)
        points = lengths // 2 + 2
        last = np.cumsum(points) - 1
        first = last - points + 1
        path = np.empty((int(points.sum()), 2))
        bent = np.ones(len(path), bool)
        bent[first] = bent[last] = False
        path[first], path[last] = self._leaving(source), self._arriving(target)
        flat = np.fromiter(chain.from_iterable(bends), np.float64, int(lengths.sum()))
        path[bent] = flat.reshape(-1, 2)
        begins = np.ones(len(path), bool)
        begins[last] = False
        start = np.flatnonzero(begins)
        ends = np.concatenate((path[start], path[start + 1]), 1) if len(path) else np.empty((0, 4))
        return ends, np.repeat(np.arange(count), points - 1)

    def _leaving(self, boxes: Numbers) -> Floats:
        """Where edges leave boxes: in the middle of the lower side, or of the right one."""
        if self.across:
            return np.stack((self.x[boxes] + self.width[boxes], self._middle(boxes)), 1)
        return np.stack((self._middle(boxes), self.y[boxes] + self.height[boxes]), 1)

    def _arriving(self, boxes: Numbers) -> Floats:
        """Where edges reach boxes: in the middle of the upper side, or of the left one."""
        start = (self.x if self.across else self.y)[boxes]
        both = (start, self._middle(boxes))
        return np.stack(both if self.across else both[::-1], 1)

    def _middle(self, boxes: Numbers) -> Floats:
        if self.across:
            return np.asarray(self.y[boxes] + self.height[boxes] / 2)
        return np.asarray(self.x[boxes] + self.width[boxes] / 2)


def coded(values: Iterable[str]) -> tuple[tuple[str, ...], Numbers]:
    """Return the distinct values, and for each value its place among them."""
    places: dict[str, int] = {}
    codes = [places.setdefault(value, len(places)) for value in values]
    return tuple(places), np.array(codes, np.intp)


def _floats(values: tuple[float, ...]) -> Floats:
    return np.fromiter(values, np.float64, len(values))


def _exchanged(ends: Floats) -> Floats:
    """Return both ends of lines with x and y exchanged."""
    return ends[:, [1, 0, 3, 2]]


def _distinct(ends: Floats, source: Numbers) -> Numbers:
    """The lines that show all: of vertical ones that leave a box at one point the longest."""
    x0, y0, x1, y1 = ends.T
    lower = np.where(x0 == x1, 0.0, y1)
    order = np.lexsort((-y1, lower, x1, y0, x0, source))
    key = np.stack((source, x0, y0, x1, lower))[:, order]
    is_first = np.ones(len(order), bool)
    is_first[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    found: Numbers = np.sort(order[is_first])
    return found
