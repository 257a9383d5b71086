"""The graph of blocks that is drawn; each block is a node that holds a graph.

So a block is laid out, entered and left like the branch of an If.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from studio.api import AttributeValue, Graph, Node, Value
from studio.models.blocks.outline import Block, Outline
from studio.models.walk import ALIKE, BLOCK_DOMAIN, INSIDE, NODES, NUMBER, is_constant, read_names


def is_block(node: Node) -> bool:
    """Return whether a node represents a folded block."""
    return node.domain == BLOCK_DOMAIN


def folded(graph: Graph, members: Outline) -> Graph:
    """Return a graph whose nodes are the nodes and blocks of an outline.

    Values and constants are those of the graph itself, not copies. Nodes that hold a constant
    stay on the outermost level; they are drawn nowhere.
    """
    nodes = _Folder(graph).level(members)
    constants = tuple(node for node in graph.nodes if is_constant(node))
    return replace(graph, nodes=constants + nodes)


def retyped(known: Graph, graph: Graph) -> Graph:
    """Return a folded graph with the current types of its graph.

    Args:
        known: What ``folded`` made of the same graph when its types were not known.
    """
    # Nodes that hold graphs of the model's own were typed as well.
    others = {node.name: node for node in graph.nodes if node.blocks}

    def ends(values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple([Value(value.name, graph.type_of(value.name)) for value in values])

    def level(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple([one if not one.blocks else node(one) for one in nodes])

    def node(one: Node) -> Node:
        if not is_block(one):
            return others[one.name]
        part = one.blocks[INSIDE]
        inside = Graph(
            part.name,
            ends(part.inputs),
            ends(part.outputs),
            level(part.nodes),
            graph.initializers,
            graph.values,
            graph.notes,
        )
        return replace(one, blocks={INSIDE: inside})

    return replace(graph, nodes=level(known.nodes))


def _readers(graph: Graph) -> dict[str, list[int]]:
    """Return the readers of each value; the graph's outputs are read by -1."""
    found: dict[str, list[int]] = {value.name: [-1] for value in graph.outputs}
    for index, node in enumerate(graph.nodes):
        for name in read_names(node):
            if name:
                found.setdefault(name, []).append(index)
    return found


class _Alike:
    """Identifier of blocks of a level with equal operators in the same order."""

    def __init__(self, graph: Graph, inner: Mapping[int, list[int]]) -> None:
        nodes = graph.nodes
        self._inner = inner
        self._kinds = {
            key: hash(tuple([nodes[index].operator for index in own])) for key, own in inner.items()
        }
        self._counts = Counter(self._kinds.values())
        self._seen: Counter[int] = Counter()

    def marks(self, block: Block) -> dict[str, AttributeValue]:
        """Return the attributes of a block's node; call it in the order of the level."""
        kind = self._kinds[id(block)]
        self._seen[kind] += 1
        found: dict[str, AttributeValue] = {NODES: len(self._inner[id(block)])}
        if self._counts[kind] > 1:
            found |= {ALIKE: self._counts[kind], NUMBER: self._seen[kind]}
        return found


class _Folder:
    """Makes the nodes of blocks, level by level."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._readers = _readers(graph)
        self._inner: dict[int, list[int]] = {}

    def level(self, members: Outline) -> tuple[Node, ...]:
        """Return the nodes of a level."""
        nodes = self._graph.nodes
        taken = {nodes[one].name for one in members if isinstance(one, int)}
        blocks = [one for one in members if isinstance(one, Block)]
        alike = _Alike(self._graph, {id(one): self._within(one) for one in blocks})
        return tuple(
            nodes[one] if isinstance(one, int) else self._block(one, taken, alike.marks(one))
            for one in members
        )

    def _within(self, block: Block) -> list[int]:
        """Return the nodes of a block, those of its blocks included.

        In the order of the graph: the inputs are the same however deep the block was folded.
        """
        known = self._inner.get(id(block))
        if known is None:
            known = []
            for one in block.members:
                if isinstance(one, int):
                    known.append(one)
                else:
                    known += self._within(one)
            known.sort()
            self._inner[id(block)] = known
        return known

    def _block(self, block: Block, taken: set[str], marks: Mapping[str, AttributeValue]) -> Node:
        graph = self._graph
        inputs, outputs = self._terminals(block)
        name = base = block.scope or block.title
        number = 2
        while name in taken:
            name, number = f"{base} ({number})", number + 1
        taken.add(name)
        part = Graph(
            block.title,
            tuple([Value(one, graph.type_of(one)) for one in inputs]),
            tuple([Value(one, graph.type_of(one)) for one in outputs]),
            self.level(block.members),
            graph.initializers,
            graph.values,
            graph.notes,
        )
        return Node(name, block.title, inputs, outputs, BLOCK_DOMAIN, marks, {INSIDE: part})

    def _terminals(self, block: Block) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the values that a block reads, and those of its own that others read."""
        nodes, inner, readers = self._graph.nodes, self._within(block), self._readers
        within = set(inner)
        written: dict[str, None] = {}
        read: dict[str, None] = {}
        for index in inner:
            written.update(dict.fromkeys(nodes[index].outputs))
            read.update(dict.fromkeys(read_names(nodes[index])))
        written.pop("", None)
        constants = self._graph.initializers
        inputs = [one for one in read if one and one not in written and one not in constants]
        outputs = [one for one in written if not within.issuperset(readers.get(one, ()))]
        return tuple(inputs), tuple(outputs)
