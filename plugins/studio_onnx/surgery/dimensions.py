"""Sizes of the inputs: open ones fixed, fixed ones opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import onnx
from onnx import GraphProto, ModelProto, ValueInfoProto

from studio.api import InvalidModel, Option, UsageError
from studio_onnx.surgery.edit import Edit, graphs, unknown

Size = int | str


class Dimensions(Edit):
    """Fixes or opens sizes, and works the shapes behind the inputs out again."""

    id = "dimensions"
    title = "Fix or open sizes"
    options: ClassVar = (
        Option(
            "sizes",
            many=True,
            required=True,
            positional=True,
            names="size",
            help="SYMBOL=SIZE, INPUT=1,3,224,224 or INPUT:AXIS=SIZE; a word for a size opens it.",
        ),
    )

    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Set the sizes; remove stale shapes and infer them again."""
        graph = model.graph
        for text in options["sizes"]:
            _set(graph, text)
        _forget_shapes(graph)
        try:
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        except Exception as error:  # the shapes contradict each other
            raise InvalidModel(
                "With these sizes the shapes of the model contradict each other.",
                hint="Give sizes that its operators accept.",
                detail=str(error),
            ) from None
        model.CopyFrom(inferred)
        return {"equal": True, "text": ", ".join(options["sizes"])}


def _set(graph: GraphProto, text: str) -> None:
    """Apply one setting."""
    name, equals, value = text.rpartition("=")
    sizes = [_size(part) for part in value.split(",")]
    if not equals or not name or "" in sizes:
        raise UsageError(f"{text!r} is not a size.", hint="Write batch=1 or x=1,3,224,224.")
    inputs = {one.name: one for one in _fed(graph)}
    head, colon, axis = name.rpartition(":")
    if name in inputs:
        _whole(inputs[name], sizes)
    elif colon and head in inputs and axis.isdecimal():
        _axis(inputs[head], int(axis), sizes[0])
    else:
        _symbol(graph, name, sizes[0], inputs)


def _whole(value: ValueInfoProto, sizes: list[Size]) -> None:
    dims = value.type.tensor_type.shape.dim
    if len(dims) != len(sizes):
        raise UsageError(f"The input {value.name!r} has {len(dims)} axes, not {len(sizes)}.")
    for axis, size in enumerate(sizes):
        _axis(value, axis, size)


def _axis(value: ValueInfoProto, axis: int, size: Size) -> None:
    dims = value.type.tensor_type.shape.dim
    if axis >= len(dims):
        raise UsageError(f"The input {value.name!r} has {len(dims)} axes, none is {axis}.")
    _set_size(dims[axis], size)


def _symbol(graph: GraphProto, name: str, size: Size, inputs: Mapping[str, ValueInfoProto]) -> None:
    found = [
        dim
        for value in (*inputs.values(), *graph.output)
        for dim in value.type.tensor_type.shape.dim
        if dim.dim_param == name
    ]
    if not found:
        symbols = {
            dim.dim_param
            for value in inputs.values()
            for dim in value.type.tensor_type.shape.dim
            if dim.dim_param
        }
        raise unknown(name, "open size or input", symbols | set(inputs))
    for dim in found:
        _set_size(dim, size)


def _set_size(dim: onnx.TensorShapeProto.Dimension, size: Size) -> None:
    dim.Clear()
    if isinstance(size, int):
        dim.dim_value = size
    else:
        dim.dim_param = size


def _size(text: str) -> Size:
    text = text.strip()
    if text.isdecimal() and int(text) > 0:
        return int(text)
    return text if text.isidentifier() else ""


def _fed(graph: GraphProto) -> list[ValueInfoProto]:
    constant = {one.name for one in graph.initializer}
    return [value for value in graph.input if value.name not in constant]


def _forget_shapes(graph: GraphProto) -> None:
    """Clear the sizes of outputs, which keep type and rank; inference restores them."""
    for one in graphs(graph):
        del one.value_info[:]
        for value in one.output:
            for dim in value.type.tensor_type.shape.dim:
                dim.Clear()
