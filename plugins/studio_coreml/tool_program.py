"""The operators of a Core ML program, in the environment where coremltools lives.

This one file and coremltools alone; nothing of the studio. ``run`` is called as
``studio.api.toolchains`` describes.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Iterator, Mapping

logging.disable(logging.WARNING)  # before coremltools: it complains that this is no macOS

import coremltools  # noqa: E402
from coremltools.proto import MIL_pb2, Model_pb2  # noqa: E402

_MOST_VALUES = 64
"""Limit of a constant that goes along; larger ones are weights."""

_WEIGHT, _WEIGHT_SIZES = "weight", "weight sizes"

Type = tuple[str, list[int | None]]


def run(request: Mapping[str, str], tell: Callable[..., None]) -> dict[str, object]:
    """Return the program of a package; what is wrong with it is in ``error``."""
    path = request["source"]
    try:
        tell(0.0, 0.0, "Reading the program")
        return _program(coremltools.utils.load_spec(path))
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{os.path.basename(path)} cannot be read as a Core ML program: {error}."}


def _program(spec: Model_pb2.Model) -> dict[str, object]:
    function = spec.mlProgram.functions["main"]
    block = function.block_specializations[function.opset]
    kinds = dict(_outer(function.inputs))
    constants = {}
    values = {}
    operators = []
    for step in block.operations:
        kinds.update(_outer(step.outputs))
        if step.type == "const":
            name = step.outputs[0].name
            constants[name] = kinds[name]
            values[name] = _small(step.attributes["val"])
        else:
            operators.append(_operator(step, kinds, values))
    others = {name: kind for name, kind in kinds.items() if name not in constants}
    ends = [one.name for one in function.inputs], list(block.outputs)
    return {"program": [*ends, operators, constants, others]}


def _operator(
    step: MIL_pb2.Operation, kinds: Mapping[str, Type], values: Mapping[str, list[object]]
) -> list[object]:
    """Return name, operator, inputs, outputs, and the constants among its parameters."""
    attributes: dict[str, list[object]] = {}
    inputs = []
    for key, argument in step.inputs.items():
        for one in argument.arguments:
            if one.WhichOneof("binding") == "value":
                attributes[key] = _small(one.value)
                continue
            inputs.append(one.name)
            if values.get(one.name):
                attributes[key] = list(values[one.name])
            if key == _WEIGHT:
                attributes[_WEIGHT_SIZES] = list(kinds[one.name][1])
    made = [one.name for one in step.outputs]
    return [made[0] if made else step.type, step.type, inputs, made, attributes]


def _outer(named: list[MIL_pb2.NamedValueType]) -> Iterator[tuple[str, Type]]:
    for one in named:
        yield one.name, _type(one.type)


def _type(kind: MIL_pb2.ValueType) -> Type:
    tensor = kind.tensorType
    sizes = [
        one.constant.size if one.WhichOneof("dimension") == "constant" else None
        for one in tensor.dimensions
    ]
    return MIL_pb2.DataType.Name(tensor.dataType).lower(), sizes


def _small(value: MIL_pb2.Value) -> list[object]:
    """Return the numbers or the text of a small constant; nothing of a large one."""
    tensor = value.immediateValue.tensor
    which = tensor.WhichOneof("value")
    if which is None or which == "bytes":
        return []
    found = list(getattr(tensor, which).values)
    return found if len(found) <= _MOST_VALUES else []
