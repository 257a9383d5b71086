"""The order of the nodes within their layers, with few crossings."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_SWEEPS = 12
_PATIENCE = 3

Rows = list[list[int]]
Neighbours = Sequence[Sequence[int]]


def order(rows: Rows, up: Neighbours, down: Neighbours) -> Rows:
    """Order each row by sweeps of barycentres; the best order that was seen.

    Args:
        rows: Ids of each layer, top first.
        up: Neighbours of each id in the row above.
        down: Neighbours of each id in the row below.
    """
    current = _depth_first(rows, down)
    position = [0] * sum(map(len, rows))
    for row in current:
        _number(row, position)
    best, fewest = [list(row) for row in current], crossings(current, down, position)
    idle = 0
    for sweep in range(_MOST_SWEEPS):
        if fewest == 0 or idle == _PATIENCE:
            break
        _sweep(current, up if sweep % 2 == 0 else down, position, upwards=sweep % 2 == 1)
        count = crossings(current, down, position)
        if count < fewest:
            best, fewest, idle = [list(row) for row in current], count, 0
        else:
            idle += 1
    return best


def _number(row: Sequence[int], position: list[int]) -> None:
    for index, node in enumerate(row):
        position[node] = index


def _depth_first(rows: Rows, down: Neighbours) -> Rows:
    """A first order: nodes as a depth-first walk from the top meets them; trees do not cross."""
    row_of = {node: index for index, row in enumerate(rows) for node in row}
    result: Rows = [[] for _ in rows]
    seen: set[int] = set()
    for row in rows:
        for start in row:
            stack = [start]
            while stack:
                node = stack.pop()
                if node not in seen:
                    seen.add(node)
                    result[row_of[node]].append(node)
                    stack.extend(reversed(down[node]))
    return result


def _sweep(rows: Rows, neighbours: Neighbours, position: list[int], *, upwards: bool) -> None:
    """Sort each row by the mean position of its neighbours in the row before."""
    indices = range(len(rows) - 2, -1, -1) if upwards else range(1, len(rows))
    for index in indices:
        row = rows[index]
        if len(row) < 2:
            continue
        weights = {
            node: sum(position[n] for n in neighbours[node]) / len(neighbours[node])
            if neighbours[node]
            else float(position[node])
            for node in row
        }
        row.sort(key=weights.__getitem__)
        _number(row, position)


def crossings(rows: Rows, down: Neighbours, position: Sequence[int]) -> int:
    """How many pairs of edges cross, over all neighbouring rows."""
    total = 0
    for index in range(len(rows) - 1):
        if len(rows[index]) > 1 and len(rows[index + 1]) > 1:
            total += _between(rows[index], len(rows[index + 1]), down, position)
    return total


def _between(row: Sequence[int], width: int, down: Neighbours, position: Sequence[int]) -> int:
    """Inversions among the lower ends, counted with a Fenwick tree in O(e log width)."""
    tree = [0] * (width + 1)
    total = inserted = 0
    for node in row:
        ends = [position[n] + 1 for n in down[node]]
        for end in ends:
            not_right, at = 0, end
            while at > 0:
                not_right += tree[at]
                at &= at - 1
            total += inserted - not_right
        for end in ends:
            at = end
            while at <= width:
                tree[at] += 1
                at += at & -at
        inserted += len(ends)
    return total
