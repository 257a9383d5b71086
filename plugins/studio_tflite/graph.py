"""From the structure of a TFLite file to the studio's graph, without the weights."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.api import (
    Graph,
    Initializer,
    InvalidModel,
    Limits,
    Model,
    Node,
    Quantization,
    TensorType,
    UnsafeModel,
    Value,
)
from studio_tflite.structure import Content, Operator, SubGraph, Tensor

_BITS = {
    "float32": 32, "float16": 16, "int32": 32, "uint8": 8, "int64": 64, "bool": 8, "int16": 16,
    "complex64": 64, "int8": 8, "float64": 64, "complex128": 128, "uint64": 64, "uint32": 32,
    "uint16": 16, "int4": 4, "bfloat16": 16, "int2": 2, "uint4": 4, "float8_e4m3fn": 8,
    "float8_e5m2": 8,
}  # fmt: skip
_WHOLE = frozenset({"int8", "uint8", "int16"})
_NAMES = {"float8_e4m3fn": "float8e4m3fn", "float8_e5m2": "float8e5m2"}


@dataclass(frozen=True, slots=True)
class Constant:
    """A tensor with values.

    Attributes:
        offset, size: Bytes in the file.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    size: int

    @property
    def bits(self) -> int:
        """Bits of an element; 0 for texts and what is not known."""
        return _BITS.get(self.dtype, 0)


def convert(content: Content, limits: Limits, sizes: Mapping[str, Sequence[int]] = {}) -> Model:
    """Return the model in the studio's form.

    Sub-graphs that an operator runs are its blocks; those that are only called from outside (of
    other signatures) are functions of the model.

    Args:
        sizes: Of inputs; where they are those that the converter assumed for open sizes, the
            shapes that it computed with them are taken.

    Raises:
        InvalidModel: when an operator reads what a later one writes, or sub-graphs call in a ring.
        UnsafeModel: when sub-graphs unfold to more nodes than the limits allow.
    """
    graphs = _Graphs(content, limits, sizes)
    main = graphs.graph(0)
    others = [number for number in range(1, len(content.graphs)) if number not in graphs.called]
    return Model(
        format="tflite",
        graph=main,
        ir_version=content.version,
        producer=content.description,
        metadata=content.metadata,
        functions={
            f"subgraph:{content.graphs[number].name or number}": graphs.graph(number)
            for number in others
        },
    )


def names(tensors: Sequence[Tensor]) -> list[str]:
    """Return a unique name for each tensor: the file's, with its number where it repeats."""
    counts = Counter(tensor.name for tensor in tensors)
    return [
        one.name if one.name and counts[one.name] == 1 else f"{one.name}#{number}"
        for number, one in enumerate(tensors)
    ]


def constants(content: Content, graph: SubGraph) -> dict[str, Constant]:
    """Return the tensors of a sub-graph that have values in the file, by name.

    Raises:
        InvalidModel: when the values of one do not fit its shape.
    """
    written = {number for one in graph.operators for number in one.outputs} | set(graph.inputs)
    found = {}
    for number, (name, tensor) in enumerate(zip(names(graph.tensors), graph.tensors, strict=True)):
        offset, size = content.buffers[tensor.buffer] if _has(content, tensor) else (0, 0)
        if size and number not in written:
            found[name] = Constant(name, tensor.dtype, tensor.shape, offset, size)
            _check(found[name], tensor)
    return found


def _has(content: Content, tensor: Tensor) -> bool:
    return 0 < tensor.buffer < len(content.buffers)


def _check(constant: Constant, tensor: Tensor) -> None:
    if any(size < 0 for size in constant.shape):
        raise InvalidModel(f"Tensor {constant.name!r} has a negative size.")
    needed = (math.prod(constant.shape) * constant.bits + 7) // 8
    if constant.bits and not tensor.is_sparse and constant.size != needed:
        raise InvalidModel(
            f"Tensor {constant.name!r} has {constant.size:,} bytes, but its shape needs {needed:,}."
        )


class _Graphs:
    """The sub-graphs of a file, each converted once.

    Attributes:
        called: Numbers of those that are blocks of another.
    """

    def __init__(
        self, content: Content, limits: Limits, sizes: Mapping[str, Sequence[int]]
    ) -> None:
        self.called: set[int] = set()
        self._content = content
        self._limits = limits
        self._sizes = sizes
        self._made: dict[int, tuple[Graph, int]] = {}
        self._open: list[int] = []

    def graph(self, number: int) -> Graph:
        """Return one of the graphs."""
        return self._graph(number)[0]

    def _graph(self, number: int) -> tuple[Graph, int]:
        """Return the graph, and its nodes with all that is in its blocks."""
        if number >= len(self._content.graphs):
            raise InvalidModel(f"An operator runs sub-graph {number}, which is not there.")
        if number in self._open:
            raise InvalidModel(f"Sub-graph {number} runs itself.")
        if len(self._open) > self._limits.depth:
            raise UnsafeModel(f"Sub-graphs are nested deeper than {self._limits.depth}.")
        if number not in self._made:
            self._open.append(number)
            self._made[number] = self._convert(self._content.graphs[number])
            self._open.pop()
        return self._made[number]

    def _convert(self, graph: SubGraph) -> tuple[Graph, int]:
        values = names(graph.tensors)
        _check_order(graph, values)
        types = self._types(graph, values)
        known = constants(self._content, graph)
        nodes, count = [], len(graph.operators)
        taken: set[str] = set()
        for number, operator in enumerate(graph.operators):
            blocks = {key: self._graph(called) for key, called in operator.calls.items()}
            self.called.update(operator.calls.values())
            count += sum(inner for _, inner in blocks.values())
            if count > self._limits.nodes:
                raise UnsafeModel(f"Sub-graphs unfold to more than {self._limits.nodes:,} nodes.")
            name = _node_name(number, operator, values, taken)
            nodes.append(_node(name, operator, values, {k: one for k, (one, _) in blocks.items()}))
        notes = {
            name: tensor.note
            for name, tensor in zip(values, graph.tensors, strict=True)
            if tensor.note
        }
        made = Graph(
            name=graph.name,
            inputs=_ends(graph.inputs, graph, values, types),
            outputs=_ends(graph.outputs, graph, values, types),
            nodes=tuple(nodes),
            initializers={
                name: Initializer(name, TensorType(_dtype(one.dtype), one.shape), one.size)
                for name, one in known.items()
            },
            values={name: kind for name, kind in types.items() if name not in known},
            notes=notes,
        )
        return made, count

    def _types(self, graph: SubGraph, values: Sequence[str]) -> dict[str, TensorType]:
        assumed = all(
            tuple(self._sizes.get(values[number], graph.tensors[number].shape))
            == graph.tensors[number].shape
            for number in graph.inputs
            if number >= 0
        )
        fixed = bool(self._sizes) and assumed
        return {
            name: _type(tensor, fixed) for name, tensor in zip(values, graph.tensors, strict=True)
        }


def _dtype(name: str) -> str:
    return _NAMES.get(name, name)


def _type(tensor: Tensor, fixed: bool) -> TensorType:
    sizes = (
        tensor.shape if fixed or len(tensor.signature) != len(tensor.shape) else tensor.signature
    )
    return TensorType(_dtype(tensor.dtype), tuple(size if size >= 0 else None for size in sizes))


def _ends(
    numbers: Sequence[int],
    graph: SubGraph,
    values: Sequence[str],
    types: Mapping[str, TensorType],
) -> tuple[Value, ...]:
    return tuple(_end(number, graph, values, types) for number in numbers if number >= 0)


def _end(
    number: int, graph: SubGraph, values: Sequence[str], types: Mapping[str, TensorType]
) -> Value:
    steps = graph.tensors[number].steps
    kind = types[values[number]]
    is_whole = steps is not None and kind.dtype in _WHOLE
    return Value(values[number], kind, Quantization(*steps) if is_whole and steps else None)


def _check_order(graph: SubGraph, values: Sequence[str]) -> None:
    """Check that no operator reads a later one's output, because they run in file order."""
    last = {number: k for k, one in enumerate(graph.operators) for number in one.outputs}
    first: dict[int, int] = {}
    for k, one in enumerate(graph.operators):
        for number in one.outputs:
            first.setdefault(number, k)
    for k, one in enumerate(graph.operators):
        for number in one.inputs:
            if first.get(number, -1) >= k:
                name = values[number]
                raise InvalidModel(
                    f"Operator {k} ({one.kind}) reads {name!r} before it is written."
                )
        for number in one.outputs:
            if number >= 0 and last[number] != k:
                raise InvalidModel(f"Tensor {values[number]!r} is written by two operators.")


def _node_name(number: int, operator: Operator, values: Sequence[str], taken: set[str]) -> str:
    """Return the name of its first output, because operators have no names."""
    written = [values[one] for one in operator.outputs if one >= 0]
    name = written[0] if written else f"{operator.kind}_{number}"
    while name in taken:
        name += f"#{number}"
    taken.add(name)
    return name


def _node(
    name: str, operator: Operator, values: Sequence[str], blocks: Mapping[str, Graph]
) -> Node:
    return Node(
        name=name,
        operator=operator.kind,
        inputs=tuple(values[one] if one >= 0 else "" for one in operator.inputs),
        outputs=tuple(values[one] for one in operator.outputs if one >= 0),
        domain="custom" if operator.is_custom else "",
        attributes=operator.attributes,
        blocks=blocks,
    )
