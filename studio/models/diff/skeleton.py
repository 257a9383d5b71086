"""A graph without what only hands values on: its compute nodes and the values between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from studio.api import Graph, Node
from studio.lazy_dataclass import dataclass
from studio.models.diff.operators import base, passes
from studio.models.walk import is_constant, read_names

_RANDOM = frozenset({"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"})


@dataclass(frozen=True, slots=True)
class Constant:
    """An input of a compute node that does not depend on the graph's inputs.

    Attributes:
        dtype: As it is stored, before anything hands it on (``int8`` for quantized weights).
    """

    shape: tuple[object, ...] | None = None
    dtype: str = ""


Source = str | Constant
"""Where an input comes from: the value of a graph input or compute node, or a constant."""


class Skeleton:
    """The compute nodes of a graph, their inputs traced back through what hands values on.

    Attributes:
        compute: Positions in ``graph.nodes``, in topological order.
        sources: For each compute node its inputs' origins; missing optional inputs left out.
        readers: Compute nodes that read a value, directly or through what hands it on.
        passing: Positions of the nodes that hand a value on, with that value or constant.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.compute: list[int] = []
        self.sources: dict[int, tuple[Source, ...]] = {}
        self.readers: Mapping[str, list[int]] = defaultdict(list)
        self.passing: dict[int, Source] = {}
        self.constant: set[int] = set()
        self.producer: dict[str, int] = {}
        self._origin: dict[str, Source] = {}
        self._trace()
        self.outputs = tuple(self.origin(value.name) for value in graph.outputs)

    def node(self, position: int) -> Node:
        """Return the node at a position."""
        return self.graph.nodes[position]

    def base(self, position: int) -> str:
        """Return the canonical operator of the node at a position."""
        return base(self.graph.nodes[position])

    def origin(self, value: str) -> Source:
        """Return the value itself, or the value that was passed on under its name."""
        return self._origin.get(value, value)

    def shape(self, value: str) -> tuple[object, ...] | None:
        """Return the value's shape if it is known."""
        kind = self.graph.type_of(value)
        return None if kind is None else kind.shape

    def _constant_of(self, value: str) -> Constant:
        kind = self.graph.type_of(value)
        return Constant() if kind is None else Constant(kind.shape, kind.dtype)

    def _trace(self) -> None:
        for name in self.graph.initializers:
            self._origin[name] = self._constant_of(name)
        for position, node in enumerate(self.graph.nodes):
            inputs = tuple(self.origin(name) for name in read_names(node) if name)
            if _is_constant(node, inputs):
                self.constant.add(position)
                kept = passes(node) and isinstance(inputs[0], Constant)
                own = [self._constant_of(name) for name in node.outputs]
                self._name(node, [inputs[0], *own[1:]] if kept else list(own))
            elif passes(node) and inputs:
                self.passing[position] = inputs[0]
                # Next to the value itself there may be its scale, which no match needs.
                self._name(node, [inputs[0], *(Constant() for _ in node.outputs[1:])])
            else:
                self._add(position, node, inputs)

    def _add(self, position: int, node: Node, inputs: tuple[Source, ...]) -> None:
        self.compute.append(position)
        self.sources[position] = inputs
        for source in dict.fromkeys(inputs):
            if isinstance(source, str):
                self.readers[source].append(position)
        for name in node.outputs:
            self.producer[name] = position

    def _name(self, node: Node, origins: list[Source]) -> None:
        for name, origin in zip(node.outputs, origins, strict=False):
            self._origin[name] = origin


def _is_constant(node: Node, inputs: tuple[Source, ...]) -> bool:
    if is_constant(node):
        return True
    fixed = bool(inputs) and all(isinstance(source, Constant) for source in inputs)
    return fixed and not node.blocks and node.operator not in _RANDOM
