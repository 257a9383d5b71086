"""The order of nodes by their data, and what makes an order impossible."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

import onnx

from studio.api import Graph, InvalidModel, Node
from studio_onnx.structure import blocks


def ordered(graph_name: str, nodes: Sequence[onnx.NodeProto]) -> list[int]:
    """Return node positions so that each follows what it reads, in file order where possible.

    Raises:
        InvalidModel: when two nodes produce the same value, or nodes wait for each other.
    """
    producers = _producers(nodes)
    if _in_order(nodes, producers):
        return list(range(len(nodes)))
    needs = [{producers[name] for name in read_names(node) if name in producers} for node in nodes]
    readers: list[list[int]] = [[] for _ in nodes]
    for index, need in enumerate(needs):
        for source in need:
            readers[source].append(index)
    waiting = [len(need) for need in needs]
    ready = [index for index, count in enumerate(waiting) if count == 0]
    order: list[int] = []
    while ready:
        # A heap keeps the file's order among the nodes that are ready.
        index = heapq.heappop(ready)
        order.append(index)
        for reader in readers[index]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, reader)
    if len(order) < len(nodes):
        raise InvalidModel(_describe_cycle(graph_name, nodes, needs, set(order)))
    return order


def stand_in_order(nodes: Sequence[Node], messages: Sequence[onnx.NodeProto]) -> bool:
    """Return whether each node stands behind all that it reads, and no value is produced twice.

    Args:
        messages: Of the same nodes; they tell what blocks capture.
    """
    producers: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.outputs:
            if name and producers.setdefault(name, index) != index:
                return False
    return all(
        producers.get(name, -1) < index
        for index, node in enumerate(nodes)
        for name in (read_names(messages[index]) if node.blocks else node.inputs)
    )


def _in_order(nodes: Sequence[onnx.NodeProto], producers: Mapping[str, int]) -> bool:
    """Return whether each node stands behind all that it reads, as the standard asks for."""
    return all(
        producers.get(name, -1) < index
        for index, node in enumerate(nodes)
        for name in (read_names(node) if node.attribute else node.input)
    )


def _producers(nodes: Sequence[onnx.NodeProto]) -> dict[str, int]:
    producers: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.output:
            if name and producers.setdefault(name, index) != index:
                raise InvalidModel(f"Value {name!r} is produced by two nodes.")
    return producers


def _describe_cycle(
    graph_name: str,
    nodes: Sequence[onnx.NodeProto],
    needs: Sequence[Collection[int]],
    done: set[int],
) -> str:
    """Return a sentence with a few nodes of a cycle."""
    index = next(i for i in range(len(nodes)) if i not in done)
    path: list[int] = []
    while index not in path:
        path.append(index)
        index = min(source for source in needs[index] if source not in done)
    cycle = path[path.index(index) :]
    names = [nodes[i].name or nodes[i].op_type for i in cycle[:4]]
    more = " …" if len(cycle) > 4 else ""
    return f"Graph {graph_name!r} has a cycle: {' <- '.join(names)}{more}."


def read_names(node: onnx.NodeProto) -> set[str]:
    """Return the names of the values that a node reads, with its sub-graphs' captures."""
    names = set(node.input)
    if node.attribute:
        for _, graph in blocks(node):
            names |= captured(graph)
    names.discard("")
    return names


def captured(graph: onnx.GraphProto) -> set[str]:
    """Return the names that a sub-graph takes from the graphs around it."""
    known = {value.name for value in graph.input}
    known.update(tensor.name for tensor in graph.initializer)
    known.update(sparse.values.name for sparse in graph.sparse_initializer)
    read: set[str] = {value.name for value in graph.output}
    for node in graph.node:
        read.update(read_names(node) if node.attribute else node.input)
        known.update(node.output)
    return read - known - {""}


def missing(graph: Graph) -> set[str]:
    """Return the names that a converted graph reads but lacks; a main graph should have none."""
    read: set[str] = {value.name for value in graph.outputs}
    read.update(chain.from_iterable([node.inputs for node in graph.nodes]))
    for node in graph.nodes:
        for block in node.blocks.values():
            read |= missing(block)
    read.difference_update(graph.initializers, (value.name for value in graph.inputs), ("",))
    return read.difference(chain.from_iterable([node.outputs for node in graph.nodes]))
