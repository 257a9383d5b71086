"""Edges that close a cycle, which only a damaged model has: they are not drawn."""

from __future__ import annotations

from collections.abc import Sequence

Edge = tuple[int, int, str]


def without_cycles(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """Return the edges that form no cycle, in their order.

    Among the boxes on or below a cycle an edge has to lead forward in the order of the boxes.
    """
    readers: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target, _ in edges:
        readers[source].append(target)
        waiting[target] += 1
    ready = [box for box in range(count) if waiting[box] == 0]
    for box in ready:  # grows while it is walked
        for reader in readers[box]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                ready.append(reader)
    if len(ready) == count:
        return list(edges)
    return [edge for edge in edges if not waiting[edge[0]] or edge[0] < edge[1]]
