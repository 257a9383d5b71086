"""The tensors that the values of an ONNX model become in a TFLite file made of it.

Used by ``tool.py``: numpy and flatbuffers' classes alone; nothing of the studio. The converter
names a tensor after the nodes that it computes, several of them where it has fused some.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy

KEY = b"com.edgewright.onnx_values"
"""Entry of a file's metadata: for each value the place of its tensor, and its shape in ONNX."""

_MARK = "onnx-value-"
_BETWEEN = ";;"

Entry = Sequence[Any]
Node = tuple[list[str], list[int]]
"""Names of the ONNX model's values that a node computes, and their shape."""


def marks(nodes: Sequence[Node]) -> Callable[[Any], str]:
    """Return what the converter is to call the tensors of a node."""
    numbers = {names[0]: number for number, (names, _) in enumerate(nodes)}

    def mark(node: Any) -> str:
        names = _noted(node)
        return f"{_MARK}{numbers[names[0]]};" if names and names[0] in numbers else ";"

    return mark


def _noted(node: Any) -> list[str]:
    return list((node.meta.get("custom") or {}).get("onnx", []))


def noted(program: Any) -> list[Node]:
    """Return the ONNX model's values of the nodes that have some, with their shapes, in order."""
    return [
        (names, [int(size) for size in value.shape])
        for node in program.graph.nodes
        if (names := _noted(node)) and hasattr(value := node.meta.get("val"), "shape")
    ]


def content(graph: Any, nodes: Sequence[Node]) -> bytes:
    """Return the entry of a file as it is written."""
    return json.dumps(entries(graph, nodes)).encode()


def entries(graph: Any, nodes: Sequence[Node]) -> dict[str, tuple[int, list[int]]]:
    """Return the entry of a file: the last tensor of each node that has its shape."""
    found: dict[str, tuple[int, list[int]]] = {}
    for step in graph.operators:
        for place in step.outputs:
            number = _last(graph.tensors[place].name.decode())
            if number is None:
                continue
            names, shape = nodes[number]
            if reading(list(graph.tensors[place].shape), shape) is not None:
                found.update(dict.fromkeys(names, (int(place), shape)))
    return found


def _last(text: str) -> int | None:
    """Return the number of the node behind all others that a tensor is named after."""
    parts = (one.partition(";")[0] for one in text.split(_BETWEEN))
    named = [int(one.removeprefix(_MARK)) for one in parts if one.startswith(_MARK)]
    return max(named, default=None)


def reading(found: Sequence[int], shape: Sequence[int]) -> str | None:
    """Return how a tensor has to be read to have a shape; None where that is not clear."""
    plain = [size for size in found if size != 1] == [size for size in shape if size != 1]
    last = [*shape[:1], *shape[2:], *shape[1:2]]
    moved = len(shape) > 2 and [int(size) for size in found] == list(last)
    inner = [size for size in shape[1:] if size != 1]
    if plain and moved and len(inner) > 1:
        return None
    return "plain" if plain else "channels last" if moved else None


def value(array: Any, shape: Sequence[int]) -> Any:
    """Return a tensor as the ONNX model has it, with channels in front."""
    if reading(array.shape, shape) == "channels last":
        array = numpy.moveaxis(array, -1, 1)
    return numpy.ascontiguousarray(array).reshape(shape)


def add(model: Any, schema: Any, name: bytes, content: bytes) -> None:
    """Add an entry to a file's metadata."""
    buffer = schema.BufferT()
    buffer.data = numpy.frombuffer(content, numpy.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers) - 1
    model.metadata = [*(model.metadata or ()), entry]


def read(model: Any) -> dict[str, Entry]:
    """Return the entry of a file; empty where it has none."""
    for one in model.metadata or ():
        if one.name == KEY:
            found: dict[str, Entry] = json.loads(bytes(model.buffers[one.buffer].data))
            return found
    return {}
