"""Order of the nodes within their layers, with few crossings.

Several first orders are swept by means and by medians of the neighbours' places, then neighbours
change places where that helps; the best order that was seen is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

_MOST_SWEEPS = 12
_PATIENCE = 3

_LARGE = 1_500
"""Nodes from which on two first orders have to do, and nothing is exchanged."""

Rows = list[list[int]]
Neighbours = Sequence[Sequence[int]]
Place = Callable[[list[int]], float]


def order(rows: Rows, up: Neighbours, down: Neighbours, ends: Sequence[int] = ()) -> Rows:
    """Order each row; the best order that was seen, the first of equal ones.

    Args:
        rows: Ids of each layer, top first.
        up: Neighbours of each id in the row above.
        down: Neighbours of each id in the row below.
        ends: How many edges of each id leave to the left of everything; empty for none.
    """
    best, fewest = rows, -1
    for start, place in _trials(rows, down):
        found, count = _swept(start, up, down, ends, place)
        if fewest < 0 or count < fewest:
            best, fewest = found, count
        if fewest == 0:
            break
    return best


def _trials(rows: Rows, down: Neighbours) -> Iterator[tuple[Rows, Place]]:
    """Yield first orders, and how they are swept."""
    turned = [list(reversed(nodes)) for nodes in down]
    yield _depth_first(rows, down), _mean
    yield _depth_first(rows, turned), _mean
    if sum(map(len, rows)) >= _LARGE:
        return
    back = rows[:1] and [rows[0][::-1], *rows[1:]]
    for first, below in ((rows, down), (rows, turned), (back, down), (back, turned)):
        yield _depth_first(first, below), _median
    yield _depth_first(back, down), _mean
    yield [list(row) for row in rows], _mean


def _swept(
    current: Rows, up: Neighbours, down: Neighbours, ends: Sequence[int], place: Place
) -> tuple[Rows, int]:
    """Return the best order that sweeps find, and its cost."""
    position = [0] * sum(map(len, current))
    for row in current:
        _number(row, position)
    best, fewest = [list(row) for row in current], _cost(current, up, down, position, ends)
    idle = 0
    for sweep in range(_MOST_SWEEPS):
        if fewest == 0 or idle == _PATIENCE:
            break
        _sweep(current, up if sweep % 2 == 0 else down, position, place, upwards=sweep % 2 == 1)
        count = _cost(current, up, down, position, ends)
        if count < fewest:
            best, fewest, idle = [list(row) for row in current], count, 0
        else:
            idle += 1
    if fewest and len(position) < _LARGE:
        _exchange(best, up, down)
        for row in best:
            _number(row, position)
        fewest = _cost(best, up, down, position, ends)
    return best, fewest


def _cost(
    rows: Rows, up: Neighbours, down: Neighbours, position: Sequence[int], ends: Sequence[int]
) -> int:
    """Return crossings, with those of edges to the rails; rows may be mirrored as a whole."""
    count = crossings(rows, down, position)
    if not any(ends):
        return count
    mirrored = [row[::-1] for row in rows]
    return count + min(passed(rows, up, down, ends), passed(mirrored, up, down, ends))


def passed(rows: Rows, up: Neighbours, down: Neighbours, ends: Sequence[int]) -> int:
    """Return the crossings of edges to and from the rails, which are at the left."""
    total = 0
    for row in rows:
        left = 0
        for node in row:
            total += ends[node] * left
            left += max(len(up[node]), len(down[node]))
    return total


def _exchange(rows: Rows, up: Neighbours, down: Neighbours) -> None:
    """Let neighbours change places as long as that takes crossings away."""
    position = {node: index for row in rows for index, node in enumerate(row)}
    for _ in range(_PATIENCE):
        changed = False
        for row in rows:
            for at, (one, other) in enumerate(pairwise(list(row))):
                one = row[at]  # it may have moved here
                ways = (up, down)
                now = sum(_between_two(way[one], way[other], position) for way in ways)
                then = sum(_between_two(way[other], way[one], position) for way in ways)
                if then < now:
                    row[at], row[at + 1] = other, one
                    position[one], position[other] = at + 1, at
                    changed = True
        if not changed:
            return


def _between_two(left: Sequence[int], right: Sequence[int], position: dict[int, int]) -> int:
    """Return the crossings between the edges of two neighbours."""
    return sum(position[one] > position[other] for one in left for other in right)


def _mean(places: list[int]) -> float:
    return sum(places) / len(places)


def _median(places: list[int]) -> float:
    places.sort()
    middle = len(places) // 2
    return (places[middle] + places[~middle]) / 2


def _number(row: Sequence[int], position: list[int]) -> None:
    for index, node in enumerate(row):
        position[node] = index


def _depth_first(rows: Rows, down: Neighbours) -> Rows:
    """Return nodes in depth-first order from the top, in which trees do not cross."""
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


def _sweep(
    rows: Rows, neighbours: Neighbours, position: list[int], place: Place, *, upwards: bool
) -> None:
    """Sort each row by where its neighbours in the row before stand."""
    indices = range(len(rows) - 2, -1, -1) if upwards else range(1, len(rows))
    for index in indices:
        row = rows[index]
        if len(row) < 2:
            continue
        weights = {
            node: place([position[n] for n in neighbours[node]])
            if neighbours[node]
            else float(position[node])
            for node in row
        }
        row.sort(key=weights.__getitem__)
        _number(row, position)


def crossings(rows: Rows, down: Neighbours, position: Sequence[int]) -> int:
    """Return how many pairs of edges cross, over all neighbouring rows."""
    total = 0
    for index in range(len(rows) - 1):
        if len(rows[index]) > 1 and len(rows[index + 1]) > 1:
            total += _between(rows[index], len(rows[index + 1]), down, position)
    return total


def _between(row: Sequence[int], width: int, down: Neighbours, position: Sequence[int]) -> int:
    """Return inversions among the lower ends, counted with a Fenwick tree in O(e log width)."""
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
