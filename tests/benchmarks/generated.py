"""Graphs of any size for the benches: transformer-like and inception-like, and their ONNX files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Graph, Initializer, Node, TensorType, Value

HIDDEN, TOKENS = 16, 8
_ACTIVATION = TensorType("float32", (1, TOKENS, HIDDEN))
_WEIGHT = Initializer("w", TensorType("float32", (HIDDEN, HIDDEN)), 4 * HIDDEN * HIDDEN)


class _Builder:
    """Collects nodes; each writes one value that is named like the node."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def add(self, scope: str, operator: str, *reads: str, **attributes: int) -> str:
        name = f"{scope}/{operator}_{len(self.nodes)}"
        value = f"{name}_output_0"
        self.nodes.append(Node(name, operator, reads, (value,), attributes=attributes))
        return value

    def graph(self, name: str, inputs: Sequence[str], last: str) -> Graph:
        values = {node.outputs[0]: _ACTIVATION for node in self.nodes}
        terminals = tuple(Value(one, _ACTIVATION) for one in inputs)
        return Graph(
            name, terminals, (Value(last, _ACTIVATION),), tuple(self.nodes), {"w": _WEIGHT}, values
        )


def transformer(count: int) -> Graph:
    """Encoder layers as exporters write them, their normalizations and GELU in parts.

    Args:
        count: Nodes, at least; whole layers of 43 nodes are made.
    """
    build, last, layer = _Builder(), "x", 0
    while len(build.nodes) < count:
        last = _layer(build, f"/encoder/layer.{layer}", last)
        layer += 1
    return build.graph("transformer", ("x", "mask"), last)


def _layer(build: _Builder, scope: str, last: str) -> str:
    attention = f"{scope}/attention"
    heads = []
    for part in ("query", "key", "value"):
        inner = f"{attention}/{part}"
        projected = build.add(inner, "Add", build.add(inner, "MatMul", last, "w"), "w")
        heads.append(build.add(inner, "Identity", build.add(inner, "Relu", projected)))
    turned = build.add(attention, "Transpose", heads[1])
    scores = build.add(attention, "Div", build.add(attention, "Sub", heads[0], turned), "w")
    masked = build.add(attention, "Add", scores, "mask")
    weights = build.add(attention, "Softmax", masked)
    mixed = build.add(attention, "Mul", weights, heads[2])
    dense = f"{attention}/output/dense"
    out = build.add(dense, "Add", build.add(dense, "MatMul", mixed, "w"), "w")
    last = _normalization(
        build, f"{attention}/output/LayerNorm", build.add(attention, "Add", out, last)
    )
    inner = f"{scope}/intermediate"
    wide = build.add(inner, "Add", build.add(inner, "MatMul", last, "w"), "w")
    gate = build.add(inner, "Erf", build.add(inner, "Div", wide, "w"))
    gate = build.add(inner, "Mul", wide, build.add(inner, "Add", gate, "w"))
    gate = build.add(inner, "Mul", gate, "w")
    dense = f"{scope}/output/dense"
    out = build.add(dense, "Add", build.add(dense, "MatMul", gate, "w"), "w")
    return _normalization(
        build, f"{scope}/output/LayerNorm", build.add(f"{scope}/output", "Add", out, last)
    )


def _normalization(build: _Builder, scope: str, last: str) -> str:
    centred = build.add(scope, "Sub", last, build.add(scope, "ReduceMean", last, keepdims=1))
    variance = build.add(scope, "ReduceMean", build.add(scope, "Pow", centred, "w"), keepdims=1)
    spread = build.add(scope, "Sqrt", build.add(scope, "Add", variance, "w"))
    return build.add(
        scope,
        "Add",
        build.add(scope, "Mul", build.add(scope, "Div", centred, spread), "w"),
        "w",
    )


def inception(count: int) -> Graph:
    """Blocks of four branches that are joined, every third with a skip from the block before."""
    build, last, before, block = _Builder(), "x", "x", 0
    while len(build.nodes) < count:
        scope = f"/Mixed_{block}"
        ends = []
        for branch, length in enumerate((1, 2, 3, 1)):
            end = last
            for _ in range(length):
                end = build.add(
                    f"{scope}/branch{branch}",
                    "Relu",
                    build.add(f"{scope}/branch{branch}", "MatMul", end, "w"),
                )
            ends.append(end)
        joined = build.add(scope, "Sum", *ends)
        if block % 3 == 2:
            joined = build.add(scope, "Add", joined, before)
        last, before, block = joined, last, block + 1
    return build.graph("inception", ("x",), last)


KINDS = {"transformer": transformer, "inception": inception}


def write_onnx(graph: Graph, path: Path) -> None:
    """Write a generated graph as an ONNX file that onnxruntime runs."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    def terminal(value: Value) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(value.name, TensorProto.FLOAT, (1, TOKENS, HIDDEN))

    square = np.eye(HIDDEN, dtype=np.float32)
    nodes = []
    for node in graph.nodes:
        names = [
            "row" if name == "w" and node.operator != "MatMul" else name for name in node.inputs
        ]
        nodes.append(
            helper.make_node(node.operator, names, node.outputs, node.name, **node.attributes)
        )
    made = helper.make_graph(
        nodes,
        graph.name,
        [terminal(value) for value in graph.inputs],
        [terminal(value) for value in graph.outputs],
        [
            numpy_helper.from_array(square, "w"),
            numpy_helper.from_array(np.ones(HIDDEN, dtype=np.float32), "row"),
        ],
    )
    onnx.save(
        helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        str(path),
    )
