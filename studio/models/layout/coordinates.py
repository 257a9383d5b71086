"""Horizontal coordinates after Brandes and Koepf (2001): long edges straight, the rest balanced.

Four layouts are made, aligned to upper or lower neighbours and packed to the left or to the
right; each node gets the mean of its two middle coordinates. Packing follows the constraints
between blocks by the longest path, which avoids the known flaw of the paper's recursion.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Rows = Sequence[Sequence[int]]
Neighbours = Sequence[Sequence[int]]

_GAP = 24.0
_NARROW_GAP = 14.0


def coordinates(
    rows: Rows, up: Neighbours, down: Neighbours, widths: Sequence[float], dummy: Sequence[bool]
) -> list[float]:
    """Return the centre of each node in pixels, with distances that keep boxes apart."""
    conflicts = _conflicts(rows, up, dummy)
    up, down = _straight(rows, up, down, dummy)
    layouts: list[list[float]] = []
    for upper in (True, False):
        for left in (True, False):
            turned = [row if left else row[::-1] for row in (rows if upper else rows[::-1])]
            neighbours = up if upper else down
            root = _align(turned, neighbours, conflicts)
            x = _pack(turned, root, widths, dummy)
            layouts.append(x if left else [-value for value in x])
    return _balance(layouts, widths)


def _straight(
    rows: Rows, up: Neighbours, down: Neighbours, dummy: Sequence[bool]
) -> tuple[list[list[int]], list[list[int]]]:
    """Return neighbours to align with, so that the main path stays straight.

    A chain that continues belongs to itself, not to its readers: chains are shared by all edges of
    a box, and a reader that took the coordinate would bend the chain. And what starts in the
    middle (weights that are computed) is next to the path, it does not pull the path over.
    """
    above = [list(nodes) for nodes in up]
    below = [list(nodes) for nodes in down]
    side = [False] * len(up)
    for row in rows[1:]:
        for node in row:
            side[node] = all(side[other] for other in up[node])
    for node, ends in enumerate(down):
        further = dummy[node] and any(dummy[end] for end in ends)
        for end in ends:
            passed = further and not dummy[end]
            aside = side[node] and not all(side[other] for other in up[end])
            if passed or aside:
                below[node].remove(end)
                above[end].remove(node)
    return above, below


def _conflicts(rows: Rows, up: Neighbours, dummy: Sequence[bool]) -> set[tuple[int, int]]:
    """Return edges (upper, lower) that cross a segment between two dummies and give way to it."""
    found: set[tuple[int, int]] = set()
    for upper, lower in pairwise(rows):
        if len(upper) < 2 or len(lower) < 2:
            continue
        place = {node: index for index, node in enumerate(upper)}
        start, left = 0, 0
        for index, node in enumerate(lower):
            inner = next((n for n in up[node] if dummy[n]), -1) if dummy[node] else -1
            last = index == len(lower) - 1
            if inner < 0 and not last:
                continue
            right = place[inner] if inner >= 0 else len(upper) - 1
            for other in lower[start : index + 1]:
                for above in up[other]:
                    crosses = place[above] < left or place[above] > right
                    if crosses and not (dummy[other] and dummy[above]):
                        found.add((above, other))
            start, left = index + 1, right
    return found


def _align(rows: Rows, neighbours: Neighbours, conflicts: set[tuple[int, int]]) -> list[int]:
    """Return the root of each node's block: nodes in a column that share one coordinate."""
    root = list(range(len(neighbours)))
    taken: set[int] = set()
    place: dict[int, int] = {}
    for row in rows:
        reached = -1
        for node in row:
            above = sorted(place[n] for n in neighbours[node])
            if not above:
                continue
            named = {place[n]: n for n in neighbours[node]}
            middle = len(above) - 1
            for at in sorted({middle // 2, (middle + 1) // 2}):
                candidate = named[above[at]]
                free = candidate not in taken and above[at] > reached
                if free and not _in_conflict(candidate, node, conflicts):
                    root[node] = root[candidate]
                    taken.add(candidate)
                    reached = above[at]
                    break
        place = {node: index for index, node in enumerate(row)}
    return root


def _in_conflict(one: int, other: int, conflicts: set[tuple[int, int]]) -> bool:
    return (one, other) in conflicts or (other, one) in conflicts


def _pack(
    rows: Rows, root: Sequence[int], widths: Sequence[float], dummy: Sequence[bool]
) -> list[float]:
    """Return coordinates of blocks: as far left as their left neighbours allow, then compacted."""
    right_of: dict[int, dict[int, float]] = {}
    waiting: dict[int, int] = {}
    for row in rows:
        for node in row:
            waiting.setdefault(root[node], 0)
        for one, other in pairwise(row):
            gap = _NARROW_GAP if dummy[one] or dummy[other] else _GAP
            distance = (widths[one] + widths[other]) / 2 + gap
            known = right_of.setdefault(root[one], {})
            if root[other] not in known:
                waiting[root[other]] += 1
            known[root[other]] = max(known.get(root[other], 0.0), distance)
    x = dict.fromkeys(waiting, 0.0)
    ready = [block for block, count in waiting.items() if count == 0]
    for block in ready:  # grows while it is walked
        for other, distance in right_of.get(block, {}).items():
            x[other] = max(x[other], x[block] + distance)
            waiting[other] -= 1
            if waiting[other] == 0:
                ready.append(other)
    for block in reversed(ready):
        if block in right_of:
            x[block] = min(x[other] - distance for other, distance in right_of[block].items())
    return [x[block] for block in root]


def _balance(layouts: Sequence[Sequence[float]], widths: Sequence[float]) -> list[float]:
    """Shift the four layouts onto the narrowest and take the mean of the two middle ones."""
    bounds = [
        (
            min(x - w / 2 for x, w in zip(layout, widths, strict=True)),
            max(x + w / 2 for x, w in zip(layout, widths, strict=True)),
        )
        for layout in layouts
    ]
    low, high = min(bounds, key=lambda bound: bound[1] - bound[0])
    shifts = [
        low - bound[0] if index % 2 == 0 else high - bound[1] for index, bound in enumerate(bounds)
    ]
    shifted = [[x + shift for x in layout] for layout, shift in zip(layouts, shifts, strict=True)]
    return [sum(sorted(four)[1:3]) / 2 for four in zip(*shifted, strict=True)]
