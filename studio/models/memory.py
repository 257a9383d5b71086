"""Bytes of types, and an estimate of the memory that activations take."""

from __future__ import annotations

import math

from studio.api import Graph, TensorType
from studio.models.walk import read_names

_BITS = {
    "float64": 64,
    "int64": 64,
    "uint64": 64,
    "complex64": 64,
    "complex128": 128,
    "float32": 32,
    "int32": 32,
    "uint32": 32,
    "float16": 16,
    "bfloat16": 16,
    "int16": 16,
    "uint16": 16,
    "int4": 4,
    "uint4": 4,
    "float4e2m1": 4,
    "int2": 2,
    "uint2": 2,
}


def elements(kind: TensorType | None) -> int | None:
    """Number of elements; None where a size is not known."""
    if kind is None or kind.shape is None:
        return None
    sizes = [size for size in kind.shape if isinstance(size, int)]
    return math.prod(sizes) if len(sizes) == len(kind.shape) else None


def nbytes(kind: TensorType | None) -> int | None:
    """Return bytes, or None where a size is not known; unlisted types take a byte an element."""
    count = elements(kind)
    return None if kind is None or count is None else (count * _BITS.get(kind.dtype, 8) + 7) // 8


def activation_peak(graph: Graph) -> int:
    """Return the most bytes alive at once when nodes run in order and free unused values.

    An estimate: runtimes reuse and pad buffers, and values of unknown shape count as nothing.
    """
    last_read: dict[str, int] = {}
    for index, node in enumerate(graph.nodes):
        last_read.update(dict.fromkeys(read_names(node), index))
    for value in graph.outputs:
        last_read[value.name] = len(graph.nodes)
    dying: dict[int, list[str]] = {}
    for name, index in last_read.items():
        dying.setdefault(index, []).append(name)
    # Many values share one type, which is measured once.
    by_type = {id(kind): nbytes(kind) or 0 for kind in graph.values.values()}
    size = {
        name: by_type[id(kind)]
        for name, kind in graph.values.items()
        if name not in graph.initializers
    }
    alive = peak = sum(size.get(value.name, 0) for value in graph.inputs)
    for index, node in enumerate(graph.nodes):
        for name in node.outputs:
            alive += size.get(name, 0)
        if alive > peak:
            peak = alive
        for name in dying.get(index, ()):
            alive -= size.get(name, 0)
        for name in node.outputs:
            if name not in last_read:
                alive -= size.get(name, 0)
    return peak
