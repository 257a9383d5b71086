"""Boxes in pixels and edges with their bends."""

from __future__ import annotations

from collections.abc import Sequence

from studio.api import Graph, GraphLayout
from studio.models.layout.boxes import HEIGHT, boxes
from studio.models.layout.chunks import positions
from studio.models.layout.cycles import without_cycles
from studio.models.layout.layers import Layered, layered
from studio.models.layout.rails import rails

_ROW_GAP = 32.0
_MARGIN = 32.0


def lay_out(graph: Graph) -> GraphLayout:
    """Lay out a graph from top to bottom.

    Boxes of width 0 are not drawn: constants belong to the nodes that read them. The same graph
    gives the same layout, to the bit.
    """
    drawn = boxes(graph)
    count = len(drawn.widths)
    edges = without_cycles(count, drawn.edges)
    pairs = list(dict.fromkeys((source, target) for source, target, _ in edges))
    rows = layered(count, pairs, [width > 0 for width in drawn.widths], len(graph.inputs))
    centres = positions(rows, drawn.widths)
    left = min((centres[b] - drawn.widths[b] / 2 for b in range(count)), default=0.0)
    left = min([left, *centres[count:]])
    beside = rails(rows, left)
    left = min([left, *beside.values()]) - _MARGIN
    right = max((centres[b] + drawn.widths[b] / 2 for b in range(count)), default=0.0)
    right = max([right, *centres[count:]]) + _MARGIN
    centres = [round(x - left, 1) for x in centres]
    runs = _runs(rows, centres)
    for box, x in beside.items():
        runs[box] = [(0, rows.rails[box], round(x - left, 1))]
    visible = [width > 0 for width in drawn.widths]
    return GraphLayout(
        x=tuple(
            round(centres[b] - drawn.widths[b] / 2, 1) if visible[b] else 0.0 for b in range(count)
        ),
        y=tuple(_top(rows.layer[b]) if visible[b] else 0.0 for b in range(count)),
        width=tuple(drawn.widths),
        height=tuple(HEIGHT if shown else 0.0 for shown in visible),
        edges=tuple(edges),
        bends=tuple(_bends(rows, runs.get(one, ()), one, other) for one, other, _ in edges),
        size=(round(right - left, 1), _top(len(rows.rows)) - _ROW_GAP + _MARGIN),
    )


def _top(layer: int) -> float:
    return _MARGIN + layer * (HEIGHT + _ROW_GAP)


Run = tuple[int, int, float]
"""First and last dummy of a straight part of a chain, and its x."""


def _runs(rows: Layered, centres: Sequence[float]) -> dict[int, list[Run]]:
    """The straight parts of each box's chain."""
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


def _bends(rows: Layered, runs: Sequence[Run], source: int, target: int) -> tuple[float, ...]:
    """Points between two boxes: both ends of each straight run along the chain of dummies."""
    passed = rows.layer[target] - rows.layer[source] - 1
    points: list[float] = []
    for first, last, x in runs:
        if first >= passed:
            break
        top = _top(rows.layer[source] + 1 + first)
        bottom = _top(rows.layer[source] + 1 + min(last, passed - 1)) + HEIGHT
        points += [x, top, x, bottom]
    return tuple(points)
