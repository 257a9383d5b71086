"""Types of an IR file: nets of layers with ports, and element types by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Name in the file (lower case): numpy's name or the field's own, and bits an element.
_TYPES: dict[str, tuple[str, int]] = {
    "f64": ("float64", 64),
    "fp64": ("float64", 64),
    "f32": ("float32", 32),
    "fp32": ("float32", 32),
    "f16": ("float16", 16),
    "fp16": ("float16", 16),
    "bf16": ("bfloat16", 16),
    "f8e4m3": ("float8e4m3fn", 8),
    "f8e5m2": ("float8e5m2", 8),
    "f8e8m0": ("float8e8m0", 8),
    "f4e2m1": ("float4e2m1", 4),
    "nf4": ("nf4", 4),
    "i64": ("int64", 64),
    "i32": ("int32", 32),
    "i16": ("int16", 16),
    "i8": ("int8", 8),
    "i4": ("int4", 4),
    "u64": ("uint64", 64),
    "u32": ("uint32", 32),
    "u16": ("uint16", 16),
    "u8": ("uint8", 8),
    "u6": ("uint6", 6),
    "u4": ("uint4", 4),
    "u3": ("uint3", 3),
    "u2": ("uint2", 2),
    "u1": ("uint1", 1),
    "bin": ("uint1", 1),
    "bool": ("bool", 8),
    "boolean": ("bool", 8),
    "string": ("string", 0),
}


def dtype_name(name: str) -> str:
    """Return the element type's name; ``unknown`` for a newer or dynamic one."""
    return _TYPES.get(name.lower(), ("unknown", 0))[0]


def dtype_bits(name: str) -> int:
    """Return the bits of an element in the weights, or 0 if the shape does not define them."""
    return _TYPES.get(name.lower(), ("unknown", 0))[1]


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a layer.

    Attributes:
        shape: None for an open size. Empty for a scalar, and where even the rank is open: a file
            writes both alike.
        names: What a framework called the tensor.
    """

    id: int
    precision: str
    shape: tuple[int | None, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """From the output of a layer to an input of another; ports are -1 where none is named."""

    source: int
    source_port: int
    target: int
    target_port: int


@dataclass(frozen=True, slots=True)
class Binding:
    """A line of a port map: which port of the layer is which layer of its body.

    Attributes:
        is_input: Whether it goes into the body.
        body: The body's name without its ending: ``then``, ``else``, or empty for the only one.
        port: -1 for what never leaves the body (the number of the trip, the condition).
        axis: Along which it is sliced or put together; None where it is not.
    """

    is_input: bool
    body: str
    port: int
    layer: int
    axis: int | None = None
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Net:
    """A list of layers with the edges between them: the model, or the body of a layer."""

    name: str
    version: int
    layers: tuple[Layer, ...]
    edges: tuple[Edge, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation of a net.

    Attributes:
        version: Of the operator set that has it (``opset8``).
        data: Its attributes, as they are written.
        bodies: Nets inside of it, by the element's name (``then_body``).
        maps: How its ports and those of its bodies belong together, behind the back edges.
        is_decompression: Whether a loader folds it into the constant that it reads.
    """

    id: int
    name: str
    kind: str
    version: str
    data: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    bodies: Mapping[str, Net] = field(default_factory=dict)
    maps: tuple[Binding | Edge, ...] = ()
    is_decompression: bool = False
