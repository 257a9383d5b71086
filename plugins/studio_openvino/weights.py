"""Weights of an IR: the file next to it, validated as untrusted and read in parts."""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy

from studio.api import Array, InvalidModel, UnsafeModel, UsageError
from studio_openvino.ir import nets
from studio_openvino.ir_types import Layer, Net, dtype_bits, dtype_name

_SIZE = re.compile(r"\d{1,18}")
_BY_COPY = "Import by copy: copy the model and its weights into a folder of their own (cp -L)."
_MOST_AXES = 64


@dataclass(frozen=True, slots=True)
class Constant:
    """Data of a Const layer.

    Attributes:
        precision: The element type's name in the file.
        offset, size: Bytes in the weights' file.
    """

    name: str
    precision: str
    shape: tuple[int, ...]
    offset: int
    size: int


def constant_of(layer: Layer) -> Constant:
    """Return the constant of a Const layer.

    Raises:
        InvalidModel: when it lacks something, or its size does not fit its shape.
    """
    text = layer.data.get("shape", "")
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    numbers = [*parts, layer.data.get("offset", ""), layer.data.get("size", "")]
    if len(parts) > _MOST_AXES or not all(_SIZE.fullmatch(part) for part in numbers):
        raise InvalidModel(f"Constant {layer.name!r} does not say its shape, place and size.")
    *shape, offset, size = map(int, numbers)
    precision = layer.data.get("element_type", "")
    bits = dtype_bits(precision)
    needed = (math.prod(shape) * bits + 7) // 8
    if bits and size != needed:
        raise InvalidModel(
            f"Constant {layer.name!r} has {size:,} bytes, but its shape needs {needed:,}."
        )
    return Constant(layer.name, precision, tuple(shape), offset, size)


def constants(net: Net) -> Iterator[Constant]:
    """Yield every constant, those of the bodies included."""
    for part in nets(net):
        for layer in part.layers:
            if layer.kind == "Const":
                yield constant_of(layer)


def weights_file(model: Path) -> Path:
    """Return the path of a model's weights."""
    return model.with_suffix(".bin")


def check(model: Path, net: Net) -> Path | None:
    """Check that every constant is within the weights' file; return it, or None if not needed.

    Raises:
        InvalidModel: when it is missing or too short.
        UnsafeModel: when it may be any file of this computer.
    """
    end, last = 0, ""
    for constant in constants(net):
        if constant.size and constant.offset + constant.size > end:
            end, last = constant.offset + constant.size, constant.name
    if not end:
        return None
    file = weights_file(model)
    size = _size(file)
    if end > size:
        raise InvalidModel(
            f"Constant {last!r} lies behind the end of {file.name} ({end:,} of {size:,} bytes)."
        )
    return file


def _size(file: Path) -> int:
    resolved = Path(os.path.realpath(file))
    # First: behind the walls the target of such a link is not there.
    if not resolved.is_relative_to(os.path.realpath(file.parent)):
        raise UnsafeModel(f"{file.name} is a link that leads outside its folder.", hint=_BY_COPY)
    try:
        status = resolved.stat()
    except OSError:
        raise InvalidModel(
            f"The weights {file.name} are missing beside the model.",
            hint=f"Put {file.name} into {file.parent}.",
        ) from None
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeModel(f"{file.name} is not a regular file.")
    if status.st_nlink > 1:
        raise UnsafeModel(
            f"{file.name} has further hard links, so it may be any file of this computer.",
            hint=_BY_COPY,
        )
    return status.st_size


def values(model: Path, constant: Constant, most_bytes: int) -> Array:
    """Return the first values as a flat array; bfloat16 and narrow types are widened.

    Raises:
        UsageError: when the constant holds no numbers, or such as numpy cannot count with.
    """
    name = dtype_name(constant.precision)
    bits = dtype_bits(constant.precision)
    if name not in _PLAIN and name not in _PACKED and name != "bfloat16":
        raise UsageError(f"The values of {constant.name!r} are of type {constant.precision}.")
    count = min(math.prod(constant.shape), most_bytes * 8 // bits)
    with weights_file(model).open("rb") as file:
        file.seek(constant.offset)
        data = file.read((count * bits + 7) // 8)
    if name in _PACKED:
        return _unpacked(data, bits, name.startswith("i"))[:count]
    if name == "bfloat16":
        return (numpy.frombuffer(data, "<u2").astype(numpy.uint32) << 16).view(numpy.float32)
    return numpy.frombuffer(data, numpy.dtype(name).newbyteorder("<"))


_PLAIN = frozenset({
    "float64", "float32", "float16", "int64", "int32", "int16", "int8",
    "uint64", "uint32", "uint16", "uint8", "bool",
})  # fmt: skip
_PACKED = frozenset({"int4", "uint4", "uint2"})


def _unpacked(data: bytes, bits: int, signed: bool) -> Array:
    """Return numbers of less than a byte each, the lowest bits first."""
    shifts = numpy.arange(0, 8, bits, dtype=numpy.uint8)
    wide = (numpy.frombuffer(data, numpy.uint8)[:, None] >> shifts) & ((1 << bits) - 1)
    flat = wide.reshape(-1).astype(numpy.int8)
    half = 1 << (bits - 1)
    return numpy.where(flat >= half, flat - 2 * half, flat).astype(numpy.int8) if signed else flat
