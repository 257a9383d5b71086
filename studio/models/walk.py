"""Walks over a graph that several parts of the stage share."""

from __future__ import annotations

from collections.abc import Iterator

from studio.api import Graph, Model, Node

BLOCK_DOMAIN = "studio.block"
"""Domain of the nodes that stand for blocks (``folding``); no model has operators of it."""

INSIDE = "inside"
"""Name of the graph within the node of a block."""

NODES, ALIKE, NUMBER = "nodes", "alike", "number"
"""Attributes of such a node: the number of its nodes; how many blocks of its level hold the
same operators in the same order, and which of them it is. The last two are left out for one."""


def is_constant(node: Node) -> bool:
    """Return whether the node only holds a constant; it is shown with the node that reads it."""
    return node.operator == "Constant" and node.domain == ""


def block_text(node: Node) -> str:
    """Return the text below a block's title: ``×12 · 43 nodes``."""
    count, alike = node.attributes.get(NODES, 0), node.attributes.get(ALIKE)
    return f"×{alike} · {count} nodes" if alike else f"{count} nodes"


def read_names(node: Node) -> tuple[str, ...]:
    """Return the names of the values that a node reads, with its blocks' captures."""
    if not node.blocks or node.domain == BLOCK_DOMAIN:
        return node.inputs
    captured = sorted({name for block in node.blocks.values() for name in _captured(block)})
    return (*node.inputs, *captured)


def _captured(graph: Graph) -> set[str]:
    known = {value.name for value in graph.inputs} | set(graph.initializers)
    read = {value.name for value in graph.outputs}
    for node in graph.nodes:
        read.update(read_names(node))
        known.update(node.outputs)
    return read - known - {""}


def all_graphs(graph: Graph) -> Iterator[Graph]:
    """Yield the graph and, behind it, every block below it."""
    yield graph
    for node in graph.nodes:
        for block in node.blocks.values():
            yield from all_graphs(block)


def all_nodes(graph: Graph) -> Iterator[Node]:
    """Yield every node, those of the blocks included."""
    for part in all_graphs(graph):
        yield from part.nodes


def parts(model: Model) -> Iterator[tuple[str, Graph]]:
    """Yield every block below the main graph and every function, by its path.

    A block's path is that of the graph around it, its node and its attribute
    (``If.0/then_branch``); a function's begins with its qualified name.
    """
    yield from _blocks(model.graph, "")
    for name, graph in model.functions.items():
        yield name, graph
        yield from _blocks(graph, f"{name}/")


def blocks_of(node: Node, before: str = "") -> Iterator[tuple[str, Graph]]:
    """Yield the blocks of a node and all below them, by their paths.

    Args:
        before: Path of the graph around the node with a slash behind it; empty for the main graph.
    """
    for key, block in node.blocks.items():
        path = f"{before}{node.name}/{key}"
        yield path, block
        yield from _blocks(block, f"{path}/")


def _blocks(graph: Graph, before: str) -> Iterator[tuple[str, Graph]]:
    for node in graph.nodes:
        yield from blocks_of(node, before)
