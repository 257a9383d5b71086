"""Blocks around the compute-heavy operators, for graphs without useful names.

A convolution or matrix product is an anchor. What only it feeds (its bias, normalization and
activation, the shape that is computed of it) makes up a block with it, and so does what leads to
these from constants alone. Into such a block one comes only through its anchor; two blocks that
fed each other would be two anchors on a cycle of the graph, so the graph of blocks has none
either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from heapq import heapify, heappop, heappush

from studio.models.families import family

_ANCHORS = frozenset({"convolution", "product"})
_FEWEST = 3


def anchored(
    nodes: Sequence[int],
    operators: Mapping[int, str],
    reads: Mapping[int, Collection[int]],
    fed: Collection[int],
) -> list[tuple[int, ...]]:
    """Return groups of nodes, those of one member included, in topological order.

    Args:
        nodes: In the order of the graph, each behind those that it reads.
        operators: Of each node.
        reads: The nodes that a node reads; those that are not in ``nodes`` do not count.
        fed: Nodes that read something from elsewhere that is no constant.
    """
    here = set(nodes)
    before = {node: [one for one in reads.get(node, ()) if one in here] for node in nodes}
    groups = _grown(nodes, operators, before, fed)
    sizes: dict[int, int] = {}
    for anchor in groups.values():
        sizes[anchor] = sizes.get(anchor, 0) + 1
    home = {
        node: groups[node] if node in groups and sizes[groups[node]] >= _FEWEST else node
        for node in nodes
    }
    return _ordered(nodes, home, before)


def _grown(
    nodes: Sequence[int],
    operators: Mapping[int, str],
    before: Mapping[int, Sequence[int]],
    fed: Collection[int],
) -> dict[int, int]:
    """Return the anchor of each node that belongs to one."""
    home: dict[int, int] = {}
    floating: set[int] = set()
    for node in nodes:
        data = [one for one in before[node] if one not in floating]
        if not data and node not in fed:
            floating.add(node)
        elif family(operators[node]) in _ANCHORS:
            home[node] = node
        elif node not in fed:
            around = {home.get(one, -1) for one in data}
            if len(around) == 1 and -1 not in around:
                home[node] = around.pop()
    _settle(nodes, before, floating, home)
    return home


def _settle(
    nodes: Sequence[int],
    before: Mapping[int, Sequence[int]],
    floating: set[int],
    home: dict[int, int],
) -> None:
    """Give what comes of constants alone to the block that reads it, if it is only one."""
    readers: dict[int, set[int]] = {node: set() for node in floating}
    for node in reversed(nodes):
        if node in floating and len(readers[node]) == 1:
            anchor = next(iter(readers[node]))
            if anchor >= 0:
                home[node] = anchor
        for one in before[node]:
            if one in floating:
                readers[one].add(home.get(node, -1))


def _ordered(
    nodes: Sequence[int], home: Mapping[int, int], before: Mapping[int, Sequence[int]]
) -> list[tuple[int, ...]]:
    """Sort the groups by Kahn's algorithm, the one with the first node first."""
    members: dict[int, list[int]] = {}
    for node in nodes:
        members.setdefault(home[node], []).append(node)
    place = {node: at for at, node in enumerate(nodes)}
    waits: dict[int, set[int]] = {
        group: {home[one] for node in inner for one in before[node]} - {group}
        for group, inner in members.items()
    }
    feeds: dict[int, list[int]] = {group: [] for group in members}
    for group, others in waits.items():
        for other in others:
            feeds[other].append(group)
    left = {group: len(others) for group, others in waits.items()}
    ready = [(place[members[group][0]], group) for group, count in left.items() if not count]
    heapify(ready)
    result: list[tuple[int, ...]] = []
    while ready:
        _, group = heappop(ready)
        result.append(tuple(members[group]))
        for other in feeds[group]:
            left[other] -= 1
            if not left[other]:
                heappush(ready, (place[members[other][0]], other))
    # What is left lies on a cycle that the model has.
    return result + [(node,) for node in nodes if left[home[node]]]
