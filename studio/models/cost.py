"""The cost of each node, as numbers to paint on the graph."""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import Graph, Node
from studio.lazy_dataclass import dataclass
from studio.models.macs import macs
from studio.models.memory import nbytes

KINDS = ("macs", "weights", "activations")
TITLES = {"macs": "Work", "weights": "Weights", "activations": "Activations"}
UNITS = {"macs": "MACs", "weights": "B", "activations": "B"}


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one node; None where a shape is not known.

    Attributes:
        weights: Bytes of the constants that it reads.
        activations: Bytes that it writes.
    """

    macs: int | None
    weights: int
    activations: int | None


def cost(node: Node, graph: Graph) -> Cost:
    """Return the cost of one node of a graph."""
    return Cost(macs(node, graph), _weights(node, graph), _activations(node, graph))


def _weights(node: Node, graph: Graph) -> int:
    constants = graph.initializers
    return sum([constants[name].nbytes for name in node.inputs if name in constants])


def _activations(node: Node, graph: Graph) -> int | None:
    written = [nbytes(graph.type_of(name)) for name in node.outputs if name]
    return None if None in written else sum(size or 0 for size in written)


_RULES = {"macs": macs, "weights": _weights, "activations": _activations}


def overlay(graph: Graph, kind: str) -> Mapping[str, float]:
    """Return one of the costs (of ``KINDS``) by node name, where it is known and not zero."""
    if kind == "activations" and not graph.values:
        return {}  # of a graph that was drawn before its types are known
    rule = _RULES[kind]
    return {node.name: float(value) for node in graph.nodes if (value := rule(node, graph))}
