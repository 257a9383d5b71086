"""The layers of a graph as shapes, so that each that differs can be timed alone."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from studio.api import Graph, Node
from studio.lazy_dataclass import dataclass
from studio.models.macs import macs, sizes

_PRODUCTS = ("MatMul", "Gemm")


@dataclass(frozen=True, slots=True)
class LayerShape:
    """Shape of a layer, on which its time depends.

    Attributes:
        kind: ``Conv``, ``depthwise``, ``MatMul`` (with constant weights) or ``product`` (of two
            activations).
        read: Shape of what it reads.
        weight: Shape of its weights, as ``Conv`` has them; of a product its right side, rows first.
        strides, pads: Of a convolution.
    """

    kind: str
    read: tuple[int, ...]
    weight: tuple[int, ...]
    group: int = 1
    strides: tuple[int, ...] = ()
    pads: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """A text that names it, for what is kept."""
        return json.dumps(list(asdict(self).values()), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Layer:
    """A node that multiplies.

    Attributes:
        shape: None where sizes are not known.
        macs: Multiplications; 0 where they are not known.
        elements: Numbers that it reads and writes.
    """

    node: Node
    kind: str
    shape: LayerShape | None
    macs: int
    elements: int


def layers(graph: Graph) -> list[Layer]:
    """Return the convolutions and products of a graph, in its order."""
    found = []
    for node in graph.nodes:
        kind = layer_kind(node, graph)
        if kind is not None:
            size = elements(graph, node.inputs[:1]) + elements(graph, node.outputs[:1])
            found.append(Layer(node, kind, _shape(node, kind, graph), macs(node, graph) or 0, size))
    return found


def elements(graph: Graph, names: Sequence[str]) -> int:
    """Return how many elements some values have; those of unknown size count as none."""
    return sum(math.prod(shape) for name in names if (shape := sizes(graph, name)) is not None)


def layer_kind(node: Node, graph: Graph) -> str | None:
    """Return the kind as which a layer is timed, or None for other nodes."""
    if node.operator in _PRODUCTS:
        has_weights = any(name in graph.initializers for name in node.inputs[1:2])
        return "MatMul" if has_weights else "product"
    if node.operator != "Conv":
        return None
    return "Conv" if node.attributes.get("group", 1) == 1 else "depthwise"


def _shape(node: Node, kind: str, graph: Graph) -> LayerShape | None:
    read, weight = (sizes(graph, name) for name in node.inputs[:2])
    if not read or not weight or 0 in (*read, *weight):
        return None
    if node.operator == "Gemm" and node.attributes.get("transB", 0):
        weight = weight[::-1]
    if node.operator != "Conv":
        return LayerShape(kind, read, weight)
    group, rank = node.attributes.get("group", 1), len(read) - 2
    strides = _ints(node, "strides") or (1,) * rank
    pads = _ints(node, "pads") or (0,) * 2 * rank
    if node.attributes.get("auto_pad") in ("SAME_UPPER", "SAME_LOWER"):
        pads = tuple(size // 2 for size in weight[2:]) * 2
    return LayerShape(kind, read, weight, int(str(group)), strides, pads)


def _ints(node: Node, name: str) -> tuple[int, ...]:
    value = node.attributes.get(name)
    return tuple(int(one) for one in value) if isinstance(value, (list, tuple)) else ()
