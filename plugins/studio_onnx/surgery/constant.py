"""Inputs that become constants, such as the sampling rate of a detector of speech."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy
from onnx import GraphProto, ModelProto, ValueInfoProto, helper, numpy_helper

from studio.api import Array, Option, UsageError
from studio_onnx.surgery.edit import Edit, unknown

_MOST_VALUES = 1 << 16


class Constant(Edit):
    """Replaces inputs by fixed values; ``fold`` then removes the branches that are not taken."""

    id = "constant"
    title = "Make an input a constant"
    options: ClassVar = (
        Option(
            "values",
            many=True,
            required=True,
            positional=True,
            names="input",
            help="INPUT=VALUE, or INPUT=1,2,3 for several values.",
        ),
    )

    def edit(self, model: ModelProto, options: Mapping[str, Any]) -> dict[str, Any]:
        """Turn each input into an initializer of its name."""
        fixed = {}
        for text in options["values"]:
            name, array = _parse(text, model.graph)
            _replace(model.graph, name, array)
            fixed[name] = array.tolist()
        return {"equal": True, "constants": fixed, "text": ", ".join(options["values"])}


def _parse(text: str, graph: GraphProto) -> tuple[str, Array]:
    name, equals, words = text.rpartition("=")
    if not equals or not name or not words:
        raise UsageError(f"{text!r} is not a constant.", hint="Write it as INPUT=VALUE.")
    known = {one.name for one in graph.initializer}
    inputs = {one.name: one for one in graph.input if one.name not in known}
    if name not in inputs:
        raise unknown(name, "input", inputs)
    return name, _array(inputs[name], words.split(","))


def _array(value: ValueInfoProto, words: list[str]) -> Array:
    """Return the values in the type and the sizes of an input; one value fills it."""
    kind = value.type.tensor_type
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type) if kind.elem_type else None
    sizes = [one.dim_value for one in kind.shape.dim]
    if dtype is None or dtype.kind not in "fiub":
        raise UsageError(f"The input {value.name!r} takes no numbers.")
    if not all(sizes) or not kind.HasField("shape"):
        wanted = ",".join(str(size or 1) for size in sizes) or "1"
        raise UsageError(
            f"The sizes of the input {value.name!r} are open.",
            hint=f"Fix them first: --edit 'dimensions {value.name}={wanted}'.",
        )
    count = math.prod(sizes)
    if count > _MOST_VALUES or len(words) not in (1, count):
        raise UsageError(
            f"Values of the input {value.name!r}: {len(words)} given, {count} expected."
        )
    try:
        numbers = numpy.array([_number(word, dtype) for word in words]).astype(dtype)
    except (KeyError, ValueError, OverflowError):
        raise UsageError(f"The input {value.name!r} is of type {dtype.name}.") from None
    return numpy.broadcast_to(numbers if len(words) > 1 else numbers[0], count).reshape(sizes)


def _number(word: str, dtype: numpy.dtype[Any]) -> float | int | bool:
    if dtype.kind == "f":
        return float(word)
    if dtype.kind == "b":
        return {"true": True, "1": True, "false": False, "0": False}[word.strip().lower()]
    number = int(word)
    limits = numpy.iinfo(dtype)
    if not limits.min <= number <= limits.max:
        raise OverflowError
    return number


def _replace(graph: GraphProto, name: str, array: Array) -> None:
    kept = [one for one in graph.input if one.name != name]
    del graph.input[:]
    graph.input.extend(kept)
    graph.initializer.append(numpy_helper.from_array(numpy.ascontiguousarray(array), name))
