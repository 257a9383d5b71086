"""The last changes to a model that tf2onnx has made: names of axes, shapes, missing operators.

Used by ``tool.py``: onnx and tf2onnx alone; nothing of the studio.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import onnx

Json = Mapping[str, Any]

OPSET = 17
NO_WISH: Json = {"shape": None, "dtype": "", "dynamic": {}}
"""Defaults for an input that the user does not name."""

_AXES = {4: ("batch", "height", "width"), 3: ("batch", "length"), 2: ("batch", "length")}
"""Names of open axes, channels last."""

_EMBEDDED_LIMIT = 1 << 30
"""Bytes of weights in the file itself; protobuf ends at 2 GiB."""

_ASSETS = ("", "ai.onnx", "ai.onnx.ml")
_FEW = 3


def check_operators(model: Any) -> None:
    """Check that all operators have a form in ONNX.

    Raises:
        ValueError: with the operators that have none, and the nodes.
    """
    missing: dict[str, str] = {}
    for node in _nodes(model.graph):
        if node.domain not in _ASSETS or not onnx.defs.has(node.op_type, node.domain):
            missing.setdefault(node.op_type.removeprefix("TFL_"), node.name)
    if missing:
        named = [f"{name} (node {node!r})" for name, node in missing.items()]
        more = f" and {len(named) - _FEW} others" if len(named) > _FEW else ""
        raise ValueError(f"ONNX has no form of its operator {', '.join(named[:_FEW])}{more}")


def _nodes(graph: Any) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _nodes(attribute.g)


def set_sizes(model: Any, inputs: Mapping[str, Json]) -> None:
    """Give the inputs the sizes that are fixed or opened for them, and names to all open ones."""
    names = set()
    for value in model.graph.input:
        spec = inputs.get(value.name) or NO_WISH
        sizes = value.type.tensor_type.shape.dim
        usual = _AXES.get(len(sizes), ("batch",))
        for axis, one in enumerate(sizes):
            opened = spec["dynamic"].get(str(axis))
            if spec["shape"] and not opened:
                one.dim_value = spec["shape"][axis]
            elif opened or not one.dim_value:
                name = usual[axis] if axis < len(usual) else f"{value.name}_{axis}"
                one.dim_param = opened or name
                names.add(one.dim_param)
    _name_outputs(model, names)


def _name_outputs(model: Any, names: set[str]) -> None:
    """Name the open sizes of outputs as those of the inputs that they come from."""
    for value in model.graph.output:
        for one in value.type.tensor_type.shape.dim:
            if not one.dim_value:
                one.Clear()
    inferred = _inferred(model)
    for value in model.graph.output:
        known = inferred.get(value.name, ())
        for axis, one in enumerate(value.type.tensor_type.shape.dim):
            if one.dim_value:
                continue
            own = known[axis] if axis < len(known) else None
            if own is not None and own.dim_value:
                one.dim_value = own.dim_value
            elif own is not None and own.dim_param in names:
                one.dim_param = own.dim_param
            else:
                is_batch = axis == 0 and "batch" in names
                one.dim_param = "batch" if is_batch else f"{value.name}_{axis}"


def _inferred(model: Any) -> dict[str, Sequence[Any]]:
    if model.ByteSize() > _EMBEDDED_LIMIT:
        return {}
    with contextlib.suppress(Exception):
        found = onnx.shape_inference.infer_shapes(model, data_prop=True)
        return {one.name: one.type.tensor_type.shape.dim for one in found.graph.output}
    return {}


def notes(model: Any) -> list[str]:
    """Return what the user should know: whether the batch is fixed."""
    shapes = [one.type.tensor_type.shape.dim for one in model.graph.input]
    if not shapes or any(size.dim_param for shape in shapes for size in shape) or not shapes[0]:
        return []
    name = model.graph.input[0].name
    return [
        "The model has fixed sizes, the batch included: "
        f"--dynamic {name}=batch tries to open the batch."
    ]


def save(model: Any, output: str) -> None:
    """Write a model; large weights go into a file next to it."""
    onnx.save(model, output, save_as_external_data=model.ByteSize() > _EMBEDDED_LIMIT)
