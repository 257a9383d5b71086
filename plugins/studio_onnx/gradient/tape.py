"""The nodes of a gradient while they are written, with what is known about the forward values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy
from onnx import (
    GraphProto,
    NodeProto,
    TensorProto,
    TensorShapeProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)

from studio.api import Array, UsageError

ValueT = TypeVar("ValueT")
Size = int | str | None
Grads = Mapping[int, str]
"""The gradient of each input of a node, by its number."""

Rule = Callable[["Tape", NodeProto, str], Grads]
"""Makes the gradients of the inputs of a node from that of its first output."""

_FLOATS = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16}


class Tape:
    """Nodes that are added to a graph, and the shapes and constants that rules look up.

    Args:
        graph: With inferred shapes; nodes are appended to ``nodes``, not to it.
        active: Values that depend on the input whose gradient is wanted.
    """

    def __init__(self, graph: GraphProto, active: frozenset[str]) -> None:
        self._active = active
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        values = [*graph.input, *graph.value_info, *graph.output]
        self._types = {one.name: one for one in values}
        self._tensors = {one.name: one for one in graph.initializer}
        self._tensors |= dict(_constant_nodes(graph))
        self._prefix = _free_prefix(graph)

    def is_active(self, name: str) -> bool:
        """Return whether a value depends on the input."""
        return name in self._active

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append a node with one output; returns the output's name."""
        output = f"{self._prefix}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, values: Array) -> str:
        """Return the name of a new constant."""
        name = f"{self._prefix}c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def numbers(self, *values: int) -> str:
        """Return a constant row of whole numbers."""
        return self.constant(numpy.array(values, dtype=numpy.int64))

    def scalar(self, value: float, like: str) -> str:
        """Return a constant of the type of another value."""
        return self.constant(numpy.array(value, dtype=self._dtype(like)))

    def zeros(self, like: str, sizes: str) -> str:
        """Return zeros of the type of another value, in sizes that a value gives."""
        zero = numpy_helper.from_array(numpy.zeros(1, dtype=self._dtype(like)))
        return self.add("ConstantOfShape", sizes, value=zero)

    def cast(self, value: str, like: str) -> str:
        """Return a value in the type of another one."""
        kind = helper.np_dtype_to_tensor_dtype(numpy.dtype(self._dtype(like)))
        return self.add("Cast", value, to=kind)

    def reshaped(self, value: str, like: str) -> str:
        """Return a value in the shape of another one."""
        return self.add("Reshape", value, self.add("Shape", like), allowzero=1)

    def expanded(self, value: str, like: str) -> str:
        """Return a value repeated to the shape of another one."""
        return self.add("Expand", value, self.add("Shape", like))

    def flat(self, value: str) -> str:
        """Return a value as one row."""
        return self.add("Reshape", value, self.numbers(-1))

    def shape(self, name: str) -> Sequence[Size] | None:
        """Return the sizes of a value; None where its rank is not known."""
        if name in self._tensors:
            return tuple(self._tensors[name].dims)
        value = self._types.get(name)
        if value is None or not value.type.tensor_type.HasField("shape"):
            return None
        return tuple(_size(dim) for dim in value.type.tensor_type.shape.dim)

    def rank(self, name: str, node: NodeProto) -> int:
        """Return the number of axes of a value.

        Raises:
            UsageError: where it is not known.
        """
        shape = self.shape(name)
        if shape is None:
            raise refused(node, "the sizes of its values are not known")
        return len(shape)

    def value(self, name: str) -> Array | None:
        """Return a constant; None for any other value."""
        tensor = self._tensors.get(name)
        if tensor is None or tensor.data_location == TensorProto.EXTERNAL:
            return None
        return numpy_helper.to_array(tensor)

    def unbroadcast(self, gradient: str, operand: str, result: str, node: NodeProto) -> str:
        """Return the gradient of an operand that was repeated to the shape of the result."""
        small, large = self.shape(operand), self.shape(result)
        if small is None or large is None:
            raise refused(node, "the sizes of its values are not known")
        if tuple(small) == tuple(large) and None not in small:
            return gradient
        extra = len(large) - len(small)
        axes = [*range(extra)]
        axes += [extra + k for k, one in enumerate(small) if one == 1 and large[extra + k] != 1]
        if axes:
            gradient = self.add("ReduceSum", gradient, self.numbers(*axes), keepdims=1)
        # Fails when the model runs, instead of giving a wrong number, where an open size was 1.
        return self.reshaped(gradient, operand)

    def same(self, node: NodeProto, *inputs: str) -> str:
        """Append a node with the operator and attributes of another one, and other inputs."""
        output = self.add(node.op_type, *inputs)
        self.nodes[-1].attribute.extend(node.attribute)
        return output

    def _dtype(self, name: str) -> numpy.dtype[numpy.generic]:
        value = self._types.get(name)
        kind = value.type.tensor_type.elem_type if value is not None else TensorProto.FLOAT
        return helper.tensor_dtype_to_np_dtype(kind if kind in _FLOATS else TensorProto.FLOAT)


def attribute(node: NodeProto, name: str, default: ValueT) -> ValueT:
    """Return an attribute of a node in the type of its default; texts as str."""
    found = next((one for one in node.attribute if one.name == name), None)
    if found is None:
        return default
    value = helper.get_attribute_value(found)
    return cast("ValueT", value.decode(errors="replace") if isinstance(value, bytes) else value)


def refused(node: NodeProto, why: str = "") -> UsageError:
    """Return the error for a node whose gradient is not known."""
    name = f" ({node.name[:60]})" if node.name else ""
    reason = f": {why}" if why else ""
    return UsageError(
        f"The gradient through {node.op_type[:60]}{name} is not known{reason}.",
        hint="Methods that remove parts of the sample need no gradient, such as rise.",
    )


def is_float(value: ValueInfoProto | None) -> bool:
    """Return whether a value can have a gradient; one of unknown type can."""
    kind = value.type.tensor_type.elem_type if value is not None else 0
    return kind in _FLOATS or kind == TensorProto.UNDEFINED


def product(sizes: Sequence[int]) -> int:
    """Return the number of places."""
    return math.prod(sizes)


def _size(dim: TensorShapeProto.Dimension) -> Size:
    if dim.HasField("dim_value"):
        return int(dim.dim_value)
    return str(dim.dim_param) or None


def _constant_nodes(graph: GraphProto) -> list[tuple[str, TensorProto]]:
    found = []
    for node in graph.node:
        if node.op_type != "Constant" or node.domain:
            continue
        for one in node.attribute:
            if one.name == "value":
                found.append((node.output[0], one.t))
            elif one.name in ("value_int", "value_ints"):
                numbers = numpy.array(helper.get_attribute_value(one), dtype=numpy.int64)
                found.append((node.output[0], numpy_helper.from_array(numbers)))
    return found


def _free_prefix(graph: GraphProto) -> str:
    """Return a beginning that no name of the graph has."""
    names = {name for node in graph.node for name in (*node.input, *node.output)}
    names |= {one.name for one in (*graph.input, *graph.output)}
    names |= {one.name for one in graph.initializer}
    prefix = "gradient."
    while any(name.startswith(prefix) for name in names):
        prefix = f"_{prefix}"
    return prefix
