"""Number of nodes after every function call is replaced by its body.

onnxruntime replaces them when it loads a model, and takes minutes for some ten thousand nodes:
functions that call each other twice double with each level, so that a file of a few kilobytes
never ends. They are counted before anything unfolds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx

from studio.api import UnsafeModel
from studio_onnx.structure import blocks

MOST_ADDED = 20_000
"""Nodes that a model may always become, however small its file is."""

TIMES = 16
"""Further nodes that it may have for each node in its file."""

# Keeps the recursion far below Python's own limit.
_DEEPEST = 64

Key = tuple[str, str, str]


class Unfolding:
    """The functions of one model, each counted once."""

    def __init__(self, name: str, model: onnx.ModelProto) -> None:
        self._name = name
        self._calls = {
            (function.domain, function.name, function.overload): _operators(function.node)
            for function in model.functions
        }
        self._main = _operators(model.graph.node)
        self._sizes: dict[Key, int] = {}

    def nodes(self) -> int:
        """Return all nodes of the model with its function calls expanded.

        Raises:
            UnsafeModel: when functions call each other in a ring or too deep.
        """
        return sum(self._size(key, ()) for key in self._main)

    def nodes_in_file(self) -> int:
        """Return the number of nodes in the file."""
        return len(self._main) + sum(map(len, self._calls.values()))

    def _size(self, key: Key, above: tuple[Key, ...]) -> int:
        if key not in self._calls:
            return 1
        if key in above:
            raise UnsafeModel(f"{self._name} has functions that call each other in a ring.")
        if len(above) >= _DEEPEST:
            raise UnsafeModel(f"{self._name} has functions that call each other too deep.")
        if key not in self._sizes:
            inner = (*above, key)
            self._sizes[key] = 1 + sum(self._size(each, inner) for each in self._calls[key])
        return self._sizes[key]


def check_unfolded(name: str, model: onnx.ModelProto) -> None:
    """Refuse a model whose functions become too many nodes.

    Raises:
        UnsafeModel: in one sentence.
    """
    if not model.functions:
        return
    unfolding = Unfolding(name, model)
    most = MOST_ADDED + TIMES * unfolding.nodes_in_file()
    if unfolding.nodes() > most:
        raise UnsafeModel(
            f"{name} has functions that unfold to more than {most:,} nodes.",
            hint="Export it without functions, or with fewer that call each other.",
        )


def _operators(nodes: Iterable[onnx.NodeProto]) -> list[Key]:
    return [(node.domain, node.op_type, node.overload) for node in _with_blocks(nodes)]


def _with_blocks(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    for node in nodes:
        yield node
        if node.attribute:
            for _, graph in blocks(node):
                yield from _with_blocks(graph.node)
