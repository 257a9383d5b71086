"""Element types, sizes and references of ONNX tensors."""

from __future__ import annotations

import math
from dataclasses import dataclass

import onnx

from studio.api import Dimension, TensorType
from studio_onnx.wire import INSIDE

# TensorProto.DataType: numpy's name (or the field's own), and bits an element.
_TYPES: dict[int, tuple[str, int]] = {
    1: ("float32", 32),
    2: ("uint8", 8),
    3: ("int8", 8),
    4: ("uint16", 16),
    5: ("int16", 16),
    6: ("int32", 32),
    7: ("int64", 64),
    8: ("string", 0),
    9: ("bool", 8),
    10: ("float16", 16),
    11: ("float64", 64),
    12: ("uint32", 32),
    13: ("uint64", 64),
    14: ("complex64", 64),
    15: ("complex128", 128),
    16: ("bfloat16", 16),
    17: ("float8e4m3fn", 8),
    18: ("float8e4m3fnuz", 8),
    19: ("float8e5m2", 8),
    20: ("float8e5m2fnuz", 8),
    21: ("uint4", 4),
    22: ("int4", 4),
    23: ("float4e2m1", 4),
    24: ("float8e8m0", 8),
    25: ("uint2", 2),
    26: ("int2", 2),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """Location of a tensor's data.

    Attributes:
        location: The file's name as the model gives it; ``INSIDE`` for the model's own file.
        offset: Position of the first byte; None where the model does not say (then 0).
        length: Bytes; None where the model does not say (then as many as the shape needs).
    """

    location: str
    offset: int | None
    length: int | None


def dtype_name(number: int) -> str:
    """Return the element type's name; ``unknown`` for numbers of a newer ONNX."""
    return _TYPES.get(number, ("unknown", 0))[0]


def is_known(number: int) -> bool:
    """Return whether this is an element type that the studio knows."""
    return number in _TYPES


def nbytes(tensor: onnx.TensorProto) -> int:
    """Return the size of the tensor's data in bytes from its shape and element type."""
    if tensor.data_type == onnx.TensorProto.STRING:
        return sum(map(len, tensor.string_data))
    bits = _TYPES.get(tensor.data_type, ("", 0))[1]
    elements: int = math.prod(tensor.dims)
    return (elements * bits + 7) // 8


def is_external(tensor: onnx.TensorProto) -> bool:
    """Return whether the data is not in the message (skimmed tensors count)."""
    return tensor.data_location == onnx.TensorProto.EXTERNAL


def reference(tensor: onnx.TensorProto) -> Reference:
    """Return the location of an external tensor's data.

    Raises:
        ValueError: when offset or length is no number.
    """
    entries = {_text(entry.key): _text(entry.value) for entry in tensor.external_data}
    offset, length = entries.get("offset"), entries.get("length")
    return Reference(
        entries.get("location", ""),
        None if offset is None else int(offset),
        None if length is None else int(length),
    )


def _text(value: str | bytes) -> str:
    """Return a text of a file; protobuf gives invalid UTF-8 as bytes."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def external_file(tensor: onnx.TensorProto) -> str:
    """Name of the external file, empty when the data is in the model's own file."""
    if not is_external(tensor):
        return ""
    location = reference(tensor).location
    return "" if location == INSIDE else location


def tensor_type(tensor: onnx.TensorProto) -> TensorType:
    """Return the element type and shape of a constant."""
    return TensorType(dtype_name(tensor.data_type), tuple(tensor.dims))


def value_type(proto: onnx.TypeProto) -> TensorType | None:
    """Return the type of a value; None for sequences, maps and unknown types."""
    kind = proto.WhichOneof("value")
    if kind == "optional_type":
        return value_type(proto.optional_type.elem_type)
    if kind not in ("tensor_type", "sparse_tensor_type"):
        return None
    tensor = getattr(proto, kind)
    if tensor.elem_type == 0:
        return None
    if not tensor.HasField("shape"):
        return TensorType(dtype_name(tensor.elem_type), None)
    return TensorType(
        dtype_name(tensor.elem_type), tuple(_dimension(dim) for dim in tensor.shape.dim)
    )


def _dimension(dim: onnx.TensorShapeProto.Dimension) -> Dimension:
    kind = dim.WhichOneof("value")
    if kind == "dim_value":
        # Exporters write -1, and some 0, for a size that is open.
        return dim.dim_value if dim.dim_value > 0 else None
    return _text(dim.dim_param) or None if kind == "dim_param" else None
