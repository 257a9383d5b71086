"""Nodes of one level grouped by a key, so that the groups form no cycle.

The nodes are put into an order in which each stands behind those that it reads and which stays in
a group for as long as it can; a run of the order is a unit. Edges between runs of such an order
only go forward, so the graph of units has no cycle. Two runs of one group are joined where
nothing that lies between them needs the first and feeds the second.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import groupby

_WINDOW = 200
"""Number of previous units in which a run finds one of its group."""


Reads = Mapping[int, Collection[int]]
"""The nodes that each node reads."""


@dataclass(slots=True)
class Unit:
    """Nodes of a group, or one node that belongs to none (its key is empty).

    Attributes:
        reads: What the nodes read, where that matters.
    """

    key: str
    nodes: list[int]
    reads: set[int] = field(default_factory=set)


def contiguous(nodes: Sequence[int], keys: Sequence[str]) -> list[Unit] | None:
    """Return the units of topologically sorted nodes, each group contiguous.

    So a graph comes out of nearly every exporter. None where a group is in several pieces.
    """
    found: list[Unit] = []
    at = 0
    for key, run in groupby(keys):
        end = at + sum(1 for _ in run)
        if key:
            found.append(Unit(key, list(nodes[at:end])))
        else:
            found += [Unit("", [node]) for node in nodes[at:end]]
        at = end
    named = [unit.key for unit in found if unit.key]
    return found if len(set(named)) == len(named) else None


def units(nodes: Sequence[int], keys: Sequence[str], reads: Reads) -> list[Unit]:
    """Group nodes; the units stand in an order in which edges go forward.

    Args:
        nodes: In the order of the graph, which need not be topological.
        keys: The group of each of them, empty for none.
        reads: The nodes that a node reads; those that are not in ``nodes`` do not count.
    """
    key = dict(zip(nodes, keys, strict=True))
    return _joined(_runs(_ordered(nodes, key, reads), key, reads))


def _ordered(nodes: Sequence[int], key: Mapping[int, str], reads: Reads) -> list[int]:
    """Return Kahn's order, which continues in the last node's group while one of it is ready."""
    here = set(nodes)
    place = {node: index for index, node in enumerate(nodes)}
    readers: dict[int, list[int]] = {node: [] for node in nodes}
    waiting = dict.fromkeys(nodes, 0)
    for node in nodes:
        for other in reads.get(node, ()):
            if other in here:
                readers[other].append(node)
                waiting[node] += 1
    ready: list[int] = [place[node] for node in nodes if not waiting[node]]
    of_group: dict[str, list[int]] = {}
    for at in ready:
        of_group.setdefault(key[nodes[at]], []).append(at)
    heapify(ready)
    order: list[int] = []
    done: set[int] = set()
    group = ""
    while ready:
        own = of_group.get(group) if group else None
        at = heappop(own) if own else heappop(ready)
        if at in done:
            continue
        done.add(at)
        node = nodes[at]
        order.append(node)
        group = key[node]
        for reader in readers[node]:
            waiting[reader] -= 1
            if not waiting[reader]:
                heappush(ready, place[reader])
                heappush(of_group.setdefault(key[reader], []), place[reader])
    left = [node for node in nodes if place[node] not in done]  # they lie on a cycle
    return order + left


def _runs(order: Sequence[int], key: Mapping[int, str], reads: Reads) -> list[Unit]:
    found: list[Unit] = []
    for node in order:
        group = key[node]
        if not (group and found and found[-1].key == group):
            found.append(Unit(group, []))
        found[-1].nodes.append(node)
        found[-1].reads.update(reads.get(node, ()))
    return found


def _joined(runs: Sequence[Unit]) -> list[Unit]:
    """Join runs of one group where that makes no cycle."""
    result: list[Unit] = []
    for run in runs:
        first = _earlier(result, run.key) if run.key else None
        if first is None or not _join(result, first, run):
            result.append(run)
    return result


def _earlier(result: Sequence[Unit], key: str) -> int | None:
    for index in range(len(result) - 1, max(-1, len(result) - 1 - _WINDOW), -1):
        if result[index].key == key:
            return index
    return None


def _join(result: list[Unit], first: int, run: Unit) -> bool:
    """Join a run with an earlier one: what needs the earlier moves behind, the rest before."""
    tainted = set(result[first].nodes)
    before: list[Unit] = []
    behind: list[Unit] = []
    for unit in result[first + 1 :]:
        if unit.reads.isdisjoint(tainted):
            before.append(unit)
        else:
            behind.append(unit)
            tainted.update(unit.nodes)
    tainted.difference_update(result[first].nodes)
    if not run.reads.isdisjoint(tainted):
        return False
    joined = result[first]
    joined.nodes += run.nodes
    joined.reads |= run.reads
    result[first:] = [*before, joined, *behind]
    return True
