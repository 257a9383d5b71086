"""Boxes in pixels and edges with their bends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from itertools import accumulate

from studio.api import Graph, GraphLayout
from studio.lazy_dataclass import dataclass
from studio.models.layout.boxes import HEIGHT, Boxes, boxes
from studio.models.layout.chunks import positions
from studio.models.layout.cycles import without_cycles
from studio.models.layout.layers import Layered, layered

_ROW_GAP = 32.0
ACROSS_GAP = 96.0
"""Between the columns of a layout from left to right: room for the shapes on the edges."""

_MARGIN = 32.0


def lay_out(graph: Graph, *, across: bool = False) -> GraphLayout:
    """Lay out a graph from top to bottom.

    Boxes of width 0 are not drawn: constants belong to the nodes that read them. The same graph
    gives the same layout, to the bit.

    Args:
        across: From left to right instead.
    """
    if across:
        return turned(place(boxes(graph).turned(), PAGE_ACROSS))
    return place(boxes(graph), PAGE)


def turned(layout: GraphLayout) -> GraphLayout:
    """Return a layout with both axes exchanged."""
    bends = [
        tuple([value for at in range(0, len(points), 2) for value in (points[at + 1], points[at])])
        for points in layout.bends
    ]
    return GraphLayout(
        x=layout.y,
        y=layout.x,
        width=layout.height,
        height=layout.width,
        edges=layout.edges,
        bends=tuple(bends),
        size=(layout.size[1], layout.size[0]),
    )


@dataclass(frozen=True, slots=True)
class Style:
    """Spacing of the layout.

    Attributes:
        across, down: Left and right of everything, above and below it.
        is_framed: Whether the terminals are ports on the frame of a block: inputs on its upper
            side, outputs on its lower one.
        gap: Between the rows.
    """

    across: float
    down: float
    is_framed: bool = False
    gap: float = _ROW_GAP


PAGE = Style(_MARGIN, _MARGIN)
PAGE_ACROSS = Style(_MARGIN, _MARGIN, gap=ACROSS_GAP)


def place(drawn: Boxes, style: Style) -> GraphLayout:
    """Lay out boxes; those of a row stand with their upper sides on a line."""
    count = len(drawn.widths)
    edges = without_cycles(count, drawn.edges)
    pairs = list(dict.fromkeys((source, target) for source, target, _ in edges))
    outputs = drawn.outputs if style.is_framed else None
    visible = [width > 0 for width in drawn.widths]
    rows = layered(count, pairs, visible, drawn.inputs, outputs)
    centres = positions(rows, drawn.widths)
    left = min((centres[b] - drawn.widths[b] / 2 for b in range(count)), default=0.0)
    left = min([left, *centres[count:]])
    beside = rails(rows, left)
    left = min([left, *beside.values()]) - style.across
    right = max((centres[b] + drawn.widths[b] / 2 for b in range(count)), default=0.0)
    right = max([right, *centres[count:]]) + style.across
    centres = [round(x - left, 1) for x in centres]
    runs = _runs(rows, centres)
    for box, x in beside.items():
        runs[box] = [(0, rows.rails[box], round(x - left, 1))]
    bands = _Bands.of(rows, drawn, style)
    return GraphLayout(
        x=tuple(
            round(centres[b] - drawn.widths[b] / 2, 1) if visible[b] else 0.0 for b in range(count)
        ),
        y=tuple([bands.tops[rows.layer[b]] if visible[b] else 0.0 for b in range(count)]),
        width=tuple(drawn.widths),
        height=tuple([drawn.height(b) for b in range(count)]),
        edges=tuple(edges),
        bends=tuple(
            [
                (
                    *bands.down_from(one, rows.layer[one], centres[one]),
                    *_bends(rows, bands, runs.get(one, ()), one, other),
                )
                for one, other, _ in edges
            ]
        ),
        size=(round(right - left, 1), bands.tops[-1] - style.gap + style.down),
    )


@dataclass(frozen=True, slots=True)
class _Bands:
    """The rows of a layout from top to bottom.

    Attributes:
        tops: Of each row, and where a further one would begin.
        bottoms: Of each row.
        low: Height of the boxes that are lower than their row.
    """

    tops: list[float]
    bottoms: list[float]
    low: Mapping[int, float]

    @classmethod
    def of(cls, rows: Layered, drawn: Boxes, style: Style) -> _Bands:
        """Return the bands of a layered graph."""
        heights = [HEIGHT] * len(rows.rows)
        if drawn.heights:
            # A row of ports alone has no height.
            heights = [
                max([drawn.height(one) if one < rows.real else 0.0 for one in row], default=HEIGHT)
                for row in rows.rows
            ]
        tops = list(accumulate((height + style.gap for height in heights), initial=style.down))
        low = {}
        if drawn.heights:
            low = {
                box: drawn.height(box)
                for box in range(rows.real)
                if rows.layer[box] >= 0 and drawn.height(box) < heights[rows.layer[box]]
            }
        bottoms = [top + height for top, height in zip(tops, heights, strict=False)]
        return cls(tops, bottoms, low)

    def down_from(self, box: int, layer: int, middle: float) -> tuple[float, ...]:
        """Return the point straight below a box that is lower than its row, past its neighbours."""
        return (middle, self.bottoms[layer]) if box in self.low else ()


Run = tuple[int, int, float]
"""First and last dummy of a straight part of a chain, and its x."""


def _runs(rows: Layered, centres: Sequence[float]) -> dict[int, list[Run]]:
    """Return the straight parts of each box's chain."""
    result: dict[int, list[Run]] = {}
    for source, chain in rows.chains.items():
        runs: list[Run] = []
        for index, dummy in enumerate(chain):
            if runs and runs[-1][2] == centres[dummy]:
                runs[-1] = (runs[-1][0], index, runs[-1][2])
            else:
                runs.append((index, index, centres[dummy]))
        result[source] = runs
    return result


def _bends(
    rows: Layered, bands: _Bands, runs: Sequence[Run], source: int, target: int
) -> tuple[float, ...]:
    """Return points between two boxes: both ends of each straight run along the chain."""
    if not runs:
        return ()
    passed = rows.layer[target] - rows.layer[source] - 1
    points: list[float] = []
    for first, last, x in runs:
        if first >= passed:
            break
        top = bands.tops[rows.layer[source] + 1 + first]
        bottom = bands.bottoms[rows.layer[source] + 1 + min(last, passed - 1)]
        points += [x, top, x, bottom]
    return tuple(points)


GAP = 14.0
_MOST_TRACKS = 32
"""More would widen the drawing for lines that no reader can follow."""


def rails(graph: Layered, left: float) -> dict[int, float]:
    """Return the x of the rail of each box that has one.

    Rails that do not meet share a track; the longest stand innermost where they begin together.

    Args:
        left: Where the drawing begins; tracks stand left of it.
    """
    order = sorted(graph.rails, key=lambda box: (graph.layer[box], -graph.rails[box], box))
    free: list[int] = []
    busy: list[tuple[int, int]] = []
    tracks = 0
    found: dict[int, float] = {}
    for box in order:
        while busy and busy[0][0] <= graph.layer[box]:
            heappush(free, heappop(busy)[1])
        if free:
            track = heappop(free)
        else:
            track, tracks = tracks, tracks + 1
        heappush(busy, (graph.rails[box], track))
        found[box] = left - GAP * (1 + track % _MOST_TRACKS)
    return found
