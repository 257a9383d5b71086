"""Shape inference on the structure of a model, within bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx
import onnx.shape_inference

from studio.api import InvalidData, Progress
from studio_onnx.function_expansion import Unfolding
from studio_onnx.structure import WalkedModel, blocks

_MOST_NODES = 400_000
_MOST_EXPANSIONS = 200_000
_MOST_VALUES = 100_000
_RANK = 64

Axis = onnx.TensorShapeProto.Dimension


def why_skipped(model: onnx.ModelProto, walked: WalkedModel) -> str:
    """Return why shape inference is skipped, or "" if it is not."""
    count = sum(len(graph.node) for graph in walked.graphs)
    if count > _MOST_NODES:
        return f"{count:,} nodes are more than {_MOST_NODES:,}"
    if model.functions and Unfolding("", model).nodes() > _MOST_EXPANSIONS:
        return "its functions call each other too often"
    return ""


def infer(
    model: onnx.ModelProto,
    walked: WalkedModel,
    progress: Progress,
    shapes: Mapping[str, Sequence[int]] | None = None,
) -> onnx.ModelProto:
    """Return a copy with the types of all values that could be inferred.

    Args:
        walked: Of the model.
        shapes: Sizes for inputs whose shape is open; everything behind them is inferred again.

    Raises:
        InvalidData: when a shape is given for an input that is not there or has another rank.
    """
    reason = why_skipped(model, walked)
    if reason:
        progress.log(f"Shapes were not inferred: {reason}.")
        return model
    small = _propagation_is_small(walked)
    if shapes:
        model = _bound(model, shapes)
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=small)
    # Types are an addition: a model whose shapes cannot be inferred is still opened.
    except (RuntimeError, ValueError, MemoryError, onnx.shape_inference.InferenceError) as error:
        first = str(error).strip().splitlines()[:1]
        progress.log(f"Shapes could not be inferred: {first[0] if first else error!r}")
        return model


def _bound(model: onnx.ModelProto, shapes: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
    """Return a copy with the given input shapes, and without shapes that could contradict them.

    Stored shapes stay where the given sizes tell all of their symbols: operators of other domains
    have no inference, and only the exporter knew what comes of them.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    inputs = {value.name: value for value in copy.graph.input}
    symbols: dict[str, int] = {}
    trusted = True
    for name, sizes in shapes.items():
        if name not in inputs:
            known = ", ".join(inputs)
            raise InvalidData(f"The model has no input {name!r}.", hint=f"Its inputs: {known}.")
        tensor = inputs[name].type.tensor_type
        rank = len(tensor.shape.dim)
        if tensor.HasField("shape") and rank != len(sizes):
            raise InvalidData(f"Input {name!r} has {rank} axes, but {len(sizes)} sizes were given.")
        trusted = trusted and _adopt(symbols, tensor.shape.dim, sizes)
        tensor.shape.Clear()
        for size in sizes:
            tensor.shape.dim.add().dim_value = size
    _bind_stored(copy.graph, symbols if trusted else None)
    return copy


def _adopt(symbols: dict[str, int], axes: Sequence[Axis], sizes: Sequence[int]) -> bool:
    """Add the symbols of an input; False where sizes contradict each other, or a fixed size."""
    for axis, size in zip(axes, sizes, strict=False):
        if axis.HasField("dim_value") and axis.dim_value != size:
            return False
        if axis.dim_param and symbols.setdefault(axis.dim_param, size) != size:
            return False
    return True


def _bind_stored(graph: onnx.GraphProto, symbols: Mapping[str, int] | None) -> None:
    """Give sizes to the stored shapes of a graph, and drop those with an unknown one."""
    kept = [value for value in graph.value_info if symbols is not None and _bind(value, symbols)]
    copies = [onnx.ValueInfoProto.FromString(value.SerializeToString()) for value in kept]
    del graph.value_info[:]
    graph.value_info.extend(copies)
    for output in graph.output:
        known = symbols is not None and _bind(output, symbols)
        if not known and output.type.HasField("tensor_type"):
            output.type.tensor_type.ClearField("shape")


def _bind(value: onnx.ValueInfoProto, symbols: Mapping[str, int]) -> bool:
    if not value.type.tensor_type.HasField("shape"):
        return False
    axes = value.type.tensor_type.shape.dim
    if not all(axis.HasField("dim_value") or axis.dim_param in symbols for axis in axes):
        return False
    for axis in axes:
        if axis.dim_param:
            axis.dim_value = symbols[axis.dim_param]
    return True


def _propagation_is_small(walked: WalkedModel) -> bool:
    """Return whether following the content of shape tensors stays small.

    Inference keeps the content of such tensors, and a chain of Concat doubles it each time: 27
    nodes take gigabytes. So an upper bound of what it would keep is computed first.
    """
    sizes: dict[str, int] = {}
    total = 0
    for graph in walked.graphs:
        for tensor in graph.initializer:
            sizes[tensor.name] = max(len(tensor.raw_data) // 4, len(tensor.int64_data), 1)
    for node, (_domain, operator) in zip(walked.nodes, walked.operators, strict=True):
        if operator == "Constant":
            size = 1 + node.ByteSize() // 4
        elif node.attribute and any(True for _ in blocks(node)):
            size = _RANK
        elif operator == "Concat":
            size = sum([sizes.get(name, _RANK) for name in node.input])
        else:
            size = max([sizes.get(name, 1) for name in node.input], default=1)
            size = max(size, _RANK) if operator == "Shape" else size
        total += size
        if size > _MOST_VALUES or total > 100 * _MOST_VALUES:
            return False
        for name in node.output:
            sizes[name] = size
    return True
