"""Pieces of a layered graph between layers that have one node; equal pieces are laid out once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.models.layout.coordinates import coordinates
from studio.models.layout.crossings import order, passed
from studio.models.layout.layers import Layered

DUMMY_WIDTH = 6.0

Key = tuple[tuple[tuple[float, ...], ...], tuple[tuple[int, ...], ...], tuple[int, ...]]


def positions(graph: Layered, widths: Sequence[float]) -> list[float]:
    """Return the horizontal centre of every id; single nodes are on the line x = 0."""
    x = [0.0] * len(graph.layer)
    known: dict[Key, list[float]] = {}
    for rows in _pieces(graph.rows):
        if len(rows) <= 2 and all(len(row) == 1 for row in rows):
            continue
        ids = [node for row in rows for node in row]
        for node, value in zip(ids, _lay_out(graph, rows, ids, widths, known), strict=True):
            x[node] = value
    return x


def _pieces(rows: Sequence[list[int]]) -> Iterator[Sequence[list[int]]]:
    """Yield runs of rows from one cut to the next, both included."""
    start = 0
    for index in range(1, len(rows)):
        if len(rows[index]) == 1 or index == len(rows) - 1:
            yield rows[start : index + 1]
            start = index
    if len(rows) == 1:
        yield rows


def _lay_out(
    graph: Layered,
    rows: Sequence[Sequence[int]],
    ids: Sequence[int],
    widths: Sequence[float],
    known: dict[Key, list[float]],
) -> list[float]:
    """Return coordinates of a piece in the order of its ids, from a cache of equal pieces."""
    local = {node: index for index, node in enumerate(ids)}
    last = set(rows[-1])
    down = [[] if node in last else [local[n] for n in graph.down[node]] for node in ids]
    dummy = [node >= graph.real for node in ids]
    sizes = [DUMMY_WIDTH if node >= graph.real else widths[node] for node in ids]
    numbered = [[local[node] for node in row] for row in rows]
    # Repeated layers give equal pieces, which are laid out once.
    key: Key = (
        tuple(tuple(-1.0 if dummy[n] else sizes[n] for n in row) for row in numbered),
        tuple(map(tuple, down)),
        tuple(graph.rail_ends.get(node, 0) for node in ids) if graph.rail_ends else (),
    )
    if key not in known:
        up: list[list[int]] = [[] for _ in ids]
        for node, ends in enumerate(down):
            for end in ends:
                up[end].append(node)
        rails = key[2] if any(key[2]) else ()
        ordered = order(numbered, up, down, rails)
        mirrored = [row[::-1] for row in ordered]
        x = coordinates(ordered, up, down, sizes, dummy)
        if rails and passed(ordered, up, down, rails) > passed(mirrored, up, down, rails):
            # Mirrored where that crosses fewer edges to the rails.
            x = [-value for value in x]
        known[key] = _on_the_line(ordered, x)
    return known[key]


def _on_the_line(rows: Sequence[Sequence[int]], x: list[float]) -> list[float]:
    """Shift a piece so that its single ends stand on x = 0, or else its middle does."""
    ends = [row[0] for row in (rows[0], rows[-1]) if len(row) == 1]
    line = sum(x[node] for node in ends) / len(ends) if ends else (min(x) + max(x)) / 2
    shifted = [value - line for value in x]
    for node in ends:
        shifted[node] = 0.0
    return shifted
