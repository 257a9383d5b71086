"""Sparsity: the share of zeros among the weights of each node."""

from __future__ import annotations

from collections.abc import Mapping

import numpy

from studio.api import Array, Graph, Initializer, Node, StudioError
from studio.api.inspection import Constants

_MOST_BYTES = 64 * 2**20
"""Largest part of a constant that is read."""

# Shapes, masks and texts.
_NO_WEIGHTS = frozenset({"int64", "bool", "string"})
_DEQUANTIZE = "DequantizeLinear"


class Sparsity:
    """Percentage of zeros in the matrices and kernels that a node reads."""

    id = "sparsity"
    title = "Sparsity of weights"
    unit = "%"

    def analyze(self, graph: Graph) -> Mapping[str, float]:
        """Return nothing: without the weights nothing is known of their zeros."""
        return {}

    def analyze_weights(self, graph: Graph, constants: Constants) -> Mapping[str, float]:
        """Return the percentage for each node with weights that can be read."""
        found: dict[str, float] = {}
        for node in graph.nodes:
            counts = [_zeros(node, weight, graph, constants) for weight in _weights(node, graph)]
            known = [one for one in counts if one is not None]
            total = sum(size for _, size in known)
            if total:
                found[node.name] = 100 * sum(zeros for zeros, _ in known) / total
        return found


def _weights(node: Node, graph: Graph) -> list[Initializer]:
    """Return the constants of a node with two axes or more; biases and scales have fewer."""
    constants = [graph.initializers[name] for name in node.inputs if name in graph.initializers]
    return [one for one in constants if _is_weight(one)]


def _is_weight(constant: Initializer) -> bool:
    shape = constant.type.shape
    return shape is not None and len(shape) > 1 and constant.type.dtype not in _NO_WEIGHTS


def _zeros(
    node: Node, weight: Initializer, graph: Graph, constants: Constants
) -> tuple[int, int] | None:
    """Return how many values of a constant are zero, and how many were read; None where unknown."""
    try:
        values = constants.read(weight.name, _MOST_BYTES)
        zero = _zero_point(node, weight, values, constants, graph)
    except StudioError:
        return None
    if zero is None or not values.size:
        return None
    return int(numpy.count_nonzero(values == zero)), int(values.size)


def _zero_point(
    node: Node, weight: Initializer, values: Array, constants: Constants, graph: Graph
) -> Array | None:
    """Return the value that represents zero; None if the file is not explicit."""
    name = node.inputs[2] if node.operator == _DEQUANTIZE and len(node.inputs) > 2 else ""
    if not name:
        return numpy.zeros(1)
    if name not in graph.initializers:
        return None
    zero = constants.read(name, _MOST_BYTES)
    if zero.size == 1 or not zero.any():
        return zero[:1]
    shape = tuple(size for size in weight.type.shape or () if isinstance(size, int))
    given = node.attributes.get("axis", 1)
    axis = given if isinstance(given, int) else 1
    within = -len(shape) <= axis < len(shape)
    if not within or values.size != numpy.prod(shape) or zero.size != shape[axis]:
        return None
    along = [1] * len(shape)
    along[axis] = zero.size
    whole: Array = numpy.broadcast_to(zero.reshape(along), shape).reshape(-1)
    return whole
