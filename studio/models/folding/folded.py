"""The graph of blocks that is drawn; each block is a node that holds a graph.

So a block is laid out, entered and left like the branch of an If.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from studio.api import AttributeValue, Graph, Node, Value
from studio.models.folding.outline import Block, Outline
from studio.models.walk import ALIKE, BLOCK_DOMAIN, NODES, NUMBER, is_constant, read_names

INSIDE = "inside"
"""Name of the graph within the node of a block."""


def is_block(node: Node) -> bool:
    """Whether a node stands for a block that was folded."""
    return node.domain == BLOCK_DOMAIN


def folded(graph: Graph, members: Outline) -> Graph:
    """A graph whose nodes are the nodes and blocks of an outline.

    Values and constants are those of the graph itself, not copies. Nodes that hold a constant
    stay on the outermost level; they are drawn nowhere.
    """
    readers = _readers(graph)
    nodes = _level(graph, members, readers)
    constants = tuple(node for node in graph.nodes if is_constant(node))
    return replace(graph, nodes=constants + nodes)


def _readers(graph: Graph) -> dict[str, list[int]]:
    """Who reads each value; the graph's outputs are read by -1."""
    found: dict[str, list[int]] = {value.name: [-1] for value in graph.outputs}
    for index, node in enumerate(graph.nodes):
        for name in read_names(node):
            if name:
                found.setdefault(name, []).append(index)
    return found


def _level(graph: Graph, members: Outline, readers: dict[str, list[int]]) -> tuple[Node, ...]:
    result: list[Node] = []
    taken = {graph.nodes[one].name for one in members if isinstance(one, int)}
    alike = _Alike(graph, members)
    for one in members:
        if isinstance(one, Block):
            result.append(_block(graph, one, readers, taken, alike.marks(one)))
        else:
            result.append(graph.nodes[one])
    return tuple(result)


class _Alike:
    """Which blocks of a level hold the same operators in the same order."""

    def __init__(self, graph: Graph, members: Outline) -> None:
        blocks = [one for one in members if isinstance(one, Block)]
        self._inner = {id(one): sorted(_all(one.members)) for one in blocks}
        self._kinds = {
            key: hash(tuple(graph.nodes[index].operator for index in inner))
            for key, inner in self._inner.items()
        }
        self._counts = Counter(self._kinds.values())
        self._seen: Counter[int] = Counter()

    def marks(self, block: Block) -> dict[str, AttributeValue]:
        """What the node of a block tells about itself; to be asked in the order of the level."""
        kind = self._kinds[id(block)]
        self._seen[kind] += 1
        found: dict[str, AttributeValue] = {NODES: len(self._inner[id(block)])}
        if self._counts[kind] > 1:
            found |= {ALIKE: self._counts[kind], NUMBER: self._seen[kind]}
        return found


def _block(
    graph: Graph,
    block: Block,
    readers: dict[str, list[int]],
    taken: set[str],
    marks: Mapping[str, AttributeValue],
) -> Node:
    # In the order of the graph: the inputs are the same however deep the block was folded.
    inner = sorted(_all(block.members))
    within = set(inner)
    written = {name: None for index in inner for name in graph.nodes[index].outputs if name}
    read = {name: None for index in inner for name in read_names(graph.nodes[index]) if name}
    constants = graph.initializers
    inputs = tuple(name for name in read if name not in written and name not in constants)
    outputs = tuple(
        name for name in written if any(reader not in within for reader in readers.get(name, ()))
    )
    name = base = block.scope or block.title
    number = 2
    while name in taken:
        name, number = f"{base} ({number})", number + 1
    taken.add(name)
    part = Graph(
        block.title,
        tuple(Value(one, graph.type_of(one)) for one in inputs),
        tuple(Value(one, graph.type_of(one)) for one in outputs),
        _level(graph, block.members, readers),
        constants,
        graph.values,
        graph.notes,
    )
    return Node(name, block.title, inputs, outputs, BLOCK_DOMAIN, marks, {INSIDE: part})


def _all(members: Outline) -> Iterable[int]:
    for one in members:
        if isinstance(one, Block):
            yield from _all(one.members)
        else:
            yield one
