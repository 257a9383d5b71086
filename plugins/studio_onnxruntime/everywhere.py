"""Ranges for pairs around every operator, for NPUs that compute in integers alone."""

from __future__ import annotations

from collections.abc import Mapping

from onnx import GraphProto, TensorProto, numpy_helper

from studio_onnxruntime.histogram import Range

_SAME = frozenset(
    {"Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Slice", "MaxPool", "Gather"}
    | {"Split", "Expand", "DepthToSpace", "SpaceToDepth", "Identity", "Tile"}
)
"""Operators that move values alone: an NPU wants the same levels on both sides."""

_COMPUTING = frozenset({"Add", "Sub", "Mul", "Div", "Pow", "Concat", "Min", "Max", "PRelu"})
"""Operators that compute with a constant as with any other value."""

_BOUNDED: Mapping[str, Range] = {"Sigmoid": (0.0, 1.0), "Softmax": (0.0, 1.0)}
"""Operators whose range is known without samples."""


def constants(graph: GraphProto) -> dict[str, Range]:
    """Return the ranges of the float constants that operators compute with."""
    found = {one.name: one for one in graph.initializer if one.data_type == TensorProto.FLOAT}
    used = {name for node in graph.node if node.op_type in _COMPUTING for name in node.input}
    arrays = {name: numpy_helper.to_array(one) for name, one in found.items() if name in used}
    return {name: (float(one.min()), float(one.max())) for name, one in arrays.items() if one.size}


def reads_constant(operator: str) -> bool:
    """Whether an operator computes with its constants, which are rounded then, too."""
    return operator in _COMPUTING


def joined(graph: GraphProto, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Return the ranges with those of an NPU's own operators, in the graph's order."""
    found = dict(ranges)
    for node in graph.node:
        name = node.output[0] if node.output else ""
        if name not in found:
            continue
        if node.op_type in _BOUNDED:
            found[name] = _BOUNDED[node.op_type]
        elif node.op_type in _SAME and node.input[0] in found:
            found.update((one, found[node.input[0]]) for one in node.output if one in found)
    return found
