"""Multiply-accumulate operations of a node, by its operator and shapes."""

from __future__ import annotations

import math
from collections.abc import Callable

from studio.api import Graph, Node

Rule = Callable[[Node, Graph], "int | None"]

_TURNED = ("transA", "transpose_a", "adj_x")
"""Names of the attribute that transposes the left side of a matrix product."""


def macs(node: Node, graph: Graph) -> int | None:
    """Return MACs of one node; 0 for operators without any, None where a shape is not known.

    An If counts its costlier branch. The body of a Loop or Scan counts once, as the number of
    trips is not in the file.
    """
    if node.blocks:
        return _blocks(node)
    rule = _RULES.get(node.operator)
    return 0 if rule is None else rule(node, graph)


def _blocks(node: Node) -> int | None:
    costs = []
    for block in node.blocks.values():
        inner = [macs(child, block) for child in block.nodes]
        if None in inner:
            return None
        costs.append(sum(cost for cost in inner if cost is not None))
    return max(costs) if node.operator in ("If", "IF") else sum(costs)


def sizes(graph: Graph, name: str) -> tuple[int, ...] | None:
    """Return the shape of a value if all its sizes are known."""
    kind = graph.type_of(name)
    if kind is None or kind.shape is None:
        return None
    known = tuple(size for size in kind.shape if isinstance(size, int))
    return known if len(known) == len(kind.shape) else None


def _input(node: Node, graph: Graph, index: int) -> tuple[int, ...] | None:
    return sizes(graph, node.inputs[index]) if index < len(node.inputs) else None


def _output(node: Node, graph: Graph) -> tuple[int, ...] | None:
    return sizes(graph, node.outputs[0]) if node.outputs else None


def _convolution(weight_index: int, axes: slice = slice(1, None)) -> Rule:
    """Return MACs: one weight of each input channel of the group per output element.

    Args:
        axes: Those of the weight that hold input channels and kernel.
    """

    def rule(node: Node, graph: Graph) -> int | None:
        weight, output = _input(node, graph, weight_index), _output(node, graph)
        if weight is None or output is None:
            return None
        return math.prod(output) * math.prod(weight[axes])

    return rule


def _transposed_convolution(data_index: int = 0, axes: slice = slice(1, None)) -> Rule:
    """Return MACs: one weight of each output channel of the group per input element.

    Args:
        axes: Those of the weight that hold output channels and kernel.
    """

    def rule(node: Node, graph: Graph) -> int | None:
        data, weight = _input(node, graph, data_index), _input(node, graph, 1)
        if data is None or weight is None:
            return None
        return math.prod(data) * math.prod(weight[axes])

    return rule


def _matrix_product(node: Node, graph: Graph) -> int | None:
    left, output = _input(node, graph, 0), _output(node, graph)
    if not left or output is None:
        return None
    turned = any(node.attributes.get(key) in (1, "true") for key in _TURNED)
    shared = left[-2] if turned and len(left) > 1 else left[-1]
    return math.prod(output) * shared


def _fully_connected(node: Node, graph: Graph) -> int | None:
    """Return MACs: one row of the weights per output element, whatever the input's shape."""
    weight, output = _input(node, graph, 1), _output(node, graph)
    if not weight or output is None:
        return None
    return math.prod(output) * weight[-1]


def _attention(node: Node, graph: Graph) -> int | None:
    """Return MACs: each query meets each key, and each score each value."""
    query, key, value = (_input(node, graph, index) for index in range(3))
    if not query or value is None or key is None or len(key) < 2:
        return None
    return math.prod(query) * key[-2] + math.prod(query[:-1]) * key[-2] * value[-1]


def _grouped_attention(node: Node, graph: Graph) -> int | None:
    """Return MACs: each query meets all keys and values, those of the cache included."""
    query, past = _input(node, graph, 0), _input(node, graph, 3)
    if not query or len(query) != 3:
        return None
    keys = query[1] + (past[2] if past and len(past) == 4 else 0)
    packed = not (len(node.inputs) > 1 and node.inputs[1])
    output = _output(node, graph) if packed else query
    return None if not output else 2 * math.prod(output) * keys


def _recurrent(gates: int) -> Rule:
    """Return MACs: input and hidden state meet the weights of each gate at each time step."""

    def rule(node: Node, graph: Graph) -> int | None:
        data, weight, recurrence = (_input(node, graph, index) for index in range(3))
        if data is None or weight is None or recurrence is None:
            return None
        if len(data) != 3 or len(weight) != 3 or len(recurrence) != 3:
            return None
        directions, inputs, hidden = weight[0], weight[2], recurrence[2]
        return data[0] * data[1] * directions * gates * hidden * (inputs + hidden)

    return rule


_RULES: dict[str, Rule] = {
    **dict.fromkeys(("Conv", "ConvInteger", "FusedConv", "DeformConv"), _convolution(1)),
    "QLinearConv": _convolution(3),
    "ConvTranspose": _transposed_convolution(),
    **dict.fromkeys(
        ("MatMul", "Gemm", "MatMulInteger", "QLinearMatMul", "QGemm", "FusedMatMul", "FusedGemm"),
        _matrix_product,
    ),
    **dict.fromkeys(
        ("MatMulNBits", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"), _matrix_product
    ),
    "GroupQueryAttention": _grouped_attention,
    "LSTM": _recurrent(4),
    "GRU": _recurrent(3),
    "RNN": _recurrent(1),
    # OpenVINO; a weight of groups begins with their number.
    **dict.fromkeys(("Convolution", "BinaryConvolution"), _convolution(1)),
    "GroupConvolution": _convolution(1, slice(2, None)),
    "ConvolutionBackpropData": _transposed_convolution(),
    "GroupConvolutionBackpropData": _transposed_convolution(0, slice(2, None)),
    "ScaledDotProductAttention": _attention,
    # TFLite; channels come last, and the weight of a depthwise convolution begins with 1.
    "CONV_2D": _convolution(1),
    "DEPTHWISE_CONV_2D": _convolution(1, slice(1, 3)),
    "CONV_3D": _convolution(1, slice(0, 4)),
    "TRANSPOSE_CONV": _transposed_convolution(2, slice(0, 3)),
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _matrix_product,
}
