"""A graph that is about to be rewritten: who makes, who reads, and what is constant."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, numpy_helper

Floats = NDArray[numpy.float32]


class View:
    """Look-ups in a graph, kept true by the few changes that it offers.

    Each look-up takes the same time whatever the size of the graph. Inputs and outputs of nodes are
    therefore changed through the view alone.
    """

    def __init__(self, graph: GraphProto) -> None:
        self.graph = graph
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._outputs = {value.name for value in graph.output}
        self._removed: dict[int, NodeProto] = {}  # kept alive, so that no identity comes back
        self._makers = {output: node for node in graph.node for output in node.output}
        self._readers: dict[str, list[NodeProto]] = {}
        for node in graph.node:
            self._note(node)

    def nodes(self, *operators: str) -> Iterator[NodeProto]:
        """Yield nodes of these kinds in the graph's order, also while nodes are removed."""
        for node in list(self.graph.node):
            if id(node) not in self._removed and node.op_type in operators:
                yield node

    def reader(self, name: str) -> NodeProto | None:
        """Return the one reader of a value; None for several, or for an output of the graph."""
        found = self._readers.get(name, ())
        return found[0] if len(found) == 1 and name not in self._outputs else None

    def readers(self, name: str) -> tuple[NodeProto, ...]:
        """Return the nodes that read a value, one as often as it does."""
        return tuple(self._readers.get(name, ()))

    def leaves(self, name: str) -> bool:
        """Return whether a value is an output of the graph."""
        return name in self._outputs

    def maker(self, name: str) -> NodeProto | None:
        """Return the node that computes a value; None for inputs and constants."""
        return self._makers.get(name)

    def constant(self, name: str) -> Floats | None:
        """Return a floating point constant, or None."""
        tensor = self._constants.get(name)
        if tensor is None:
            return None
        array = numpy_helper.to_array(tensor)
        return array if array.dtype == numpy.float32 else None

    def operand(self, node: NodeProto) -> tuple[str, Floats] | None:
        """Return the variable and the constant input of a binary node."""
        if len(node.input) != 2:
            return None
        for variable, other in (node.input, tuple(reversed(node.input))):
            array = self.constant(other)
            if array is not None and variable not in self._constants:
                return variable, array
        return None

    def write(self, node: NodeProto, index: int, array: NDArray[numpy.generic]) -> None:
        """Give a node a constant of its own as an input; another reader keeps the old one."""
        base = f"{node.name}.{('input', 'weight', 'bias')[min(index, 2)]}"
        name, number = base, 1
        while name in self._constants:
            number += 1
            name = f"{base}.{number}"
        tensor = numpy_helper.from_array(numpy.ascontiguousarray(array, numpy.float32), name)
        self.graph.initializer.append(tensor)
        self._constants[name] = tensor
        self.feed(node, index, name)

    def feed(self, node: NodeProto, index: int, name: str) -> None:
        """Make a node read another value."""
        self._forget(node)
        while len(node.input) <= index:
            node.input.append("")
        node.input[index] = name
        self._note(node)

    def remove(self, node: NodeProto) -> None:
        """Mark a node for removal by ``sweep``; no other node may read its outputs."""
        self._removed[id(node)] = node
        self._forget(node)
        for name in node.output:
            if self._makers.get(name) is node:
                del self._makers[name]

    def replace(self, node: NodeProto, following: NodeProto) -> None:
        """Take out what follows a node, and let the node make its value."""
        self.remove(following)
        self._makers.pop(node.output[0], None)
        node.output[0] = following.output[0]
        self._makers[node.output[0]] = node

    def sweep(self) -> None:
        """Drop the removed nodes, and the constants without a reader."""
        gone = [i for i, node in enumerate(self.graph.node) if id(node) in self._removed]
        for index in reversed(gone):
            del self.graph.node[index]
        wanted = {name for node in self.graph.node for name in used(node)} | self._outputs
        kept = [tensor for tensor in self.graph.initializer if tensor.name in wanted]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)

    def _note(self, node: NodeProto) -> None:
        for name in used(node):
            self._readers.setdefault(name, []).append(node)

    def _forget(self, node: NodeProto) -> None:
        for name in used(node):
            self._readers[name] = [each for each in self._readers[name] if each is not node]


def used(node: NodeProto) -> Iterator[str]:
    """Yield the values that a node reads, with those that the blocks of an If or a Loop read."""
    yield from node.input
    for attribute in node.attribute:
        for block in (attribute.g, *attribute.graphs):
            yield from _captured(block)


def _captured(block: GraphProto) -> Iterator[str]:
    """Yield the values that a block reads and does not compute itself."""
    own = {value.name for value in block.input}
    own.update(tensor.name for tensor in block.initializer)
    own.update(name for inner in block.node for name in inner.output)
    for inner in block.node:
        yield from (name for name in used(inner) if name not in own)
    yield from (value.name for value in block.output if value.name not in own)
