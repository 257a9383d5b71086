"""Attention probabilities as outputs of the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper

from studio.api import Option, UsageError
from studio_onnx.surgery.edit import Edit, value_names

_ROUNDING = ("QuantizeLinear", "DequantizeLinear")
_THROUGH = frozenset({"Add", "Cast", "Div", "Identity", "Max", "Mul", "Sub", "Where", *_ROUNDING})
"""Operators between the product of queries and keys, and its softmax: scale, mask and rounding."""

_MOST_STEPS = 8


class ShowAttention(Edit):
    """Adds an output for each softmax over a product of two computed values, in graph order.

    Such a softmax is the attention of a transformer (Vaswani et al., 2017): its rows are queries,
    its last axis is keys. Attention inside of one fused operator is not found.
    """

    id = "attention"
    title = "Add the attention as outputs"
    options: ClassVar = (
        Option("prefix", default="attention", help="Beginning of the names, before a number."),
    )

    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Append the outputs.

        Raises:
            UsageError: where the graph has no such softmax, or a name is taken.
        """
        graph, prefix = model.graph, options.get("prefix") or "attention"
        found = _attentions(graph)
        if not found:
            raise UsageError(
                "The graph has no attention that can be seen.",
                hint="It may be inside of one fused operator. Use --method occlusion.",
            )
        taken = value_names(graph)
        for number, node in enumerate(found):
            name = f"{prefix}.{number}"
            if name in taken:
                raise UsageError(f"The name {name!r} is taken already.")
            graph.node.append(
                helper.make_node("Cast", [node.output[0]], [name], to=TensorProto.FLOAT)
            )
            graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
        return {"equal": True, "layers": len(found), "text": f"{len(found)} layers"}


def _attentions(graph: GraphProto) -> list[NodeProto]:
    makers = {name: node for node in graph.node for name in node.output if name}
    fixed = {one.name for one in graph.initializer}
    for node in graph.node:  # such as transposed or rounded weights
        if fixed.issuperset(filter(None, node.input)):
            fixed |= set(node.output)
    return [
        node
        for node in graph.node
        if node.op_type == "Softmax" and _product(node, makers, fixed) is not None
    ]


def _product(
    softmax: NodeProto, makers: Mapping[str, NodeProto], fixed: set[str]
) -> NodeProto | None:
    """Return the product of two computed values that a softmax is fed by."""
    values = [softmax.input[0]]
    for _ in range(_MOST_STEPS):
        nodes = [makers[name] for name in values if name in makers]
        for node in nodes:
            if node.op_type == "MatMul" and not fixed & set(node.input):
                return node
        values = [name for node in nodes if node.op_type in _THROUGH for name in node.input]
    return None
