"""ONNX models written field by field, for samples whose model is made here."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from studio.lazy_dataclass import dataclass
from studio.packages.wire import write_field, write_number, write_varint

_IR_VERSION, _OPSET, _FLOAT, _INT64 = 9, 17, 1, 7

# Numbers of fields: onnx.proto.
_MODEL_IR, _MODEL_GRAPH, _MODEL_OPSET, _OPSET_VERSION = 1, 7, 8, 2
_NODES, _NAME, _CONSTANTS, _INPUTS, _OUTPUTS = 1, 2, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_TYPE, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_INTS = 1, 2, 3, 8
_ATTRIBUTE_TYPE, _TYPE_FLOAT, _TYPE_INT, _TYPE_INTS = 20, 1, 2, 7
_TENSOR_DIM, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _ELEMENT, _SHAPE = 1, 2, 1, 1, 2
_DIM, _DIM_VALUE, _DIM_PARAM = 1, 1, 2
_FIXED_32 = 5
"""Wire type of a float."""

Attribute = int | float | Sequence[int]


@dataclass(frozen=True, slots=True)
class GraphValue:
    """An input or output of a graph.

    Attributes:
        shape: Sizes of its axes; a name for one that is open.
        whole: Whole numbers (int64) instead of float32.
    """

    name: str
    shape: tuple[int | str, ...]
    whole: bool = False


class OnnxGraph:
    """A graph of float32 values and whole numbers."""

    def __init__(
        self, name: str, inputs: Sequence[GraphValue], outputs: Sequence[GraphValue]
    ) -> None:
        """Begin without nodes."""
        self._name = name
        self._inputs, self._outputs = inputs, outputs
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant, float32 or (of whole numbers) int64; return its name."""
        whole = values.dtype.kind == "i"
        content = b"".join(write_number(_TENSOR_DIM, one) for one in values.shape)
        content += write_number(_TENSOR_TYPE, _INT64 if whole else _FLOAT)
        content += _text(_TENSOR_NAME, name)
        raw = values.astype("<i8" if whole else "<f4").tobytes()
        self._constants.append(content + write_field(_TENSOR_RAW, raw))
        return name

    def add(
        self, operator: str, inputs: Sequence[str], output: str, **attributes: Attribute
    ) -> str:
        """Add a node and return its output; whole numbers of attributes are from 0 on."""
        content = b"".join(_text(_NODE_INPUT, one) for one in inputs)
        content += _text(_NODE_OUTPUT, output) + _text(_NODE_TYPE, operator)
        for name, value in attributes.items():
            content += write_field(_NODE_ATTRIBUTE, _text(_ATTRIBUTE_NAME, name) + _typed(value))
        self._nodes.append(content)
        return output

    def model(self) -> bytes:
        """Return the file of the model."""
        graph = b"".join(write_field(_NODES, one) for one in self._nodes)
        graph += _text(_NAME, self._name)
        graph += b"".join(write_field(_CONSTANTS, one) for one in self._constants)
        graph += b"".join(write_field(_INPUTS, _value(one)) for one in self._inputs)
        graph += b"".join(write_field(_OUTPUTS, _value(one)) for one in self._outputs)
        opset = write_field(_MODEL_OPSET, write_number(_OPSET_VERSION, _OPSET))
        return write_number(_MODEL_IR, _IR_VERSION) + write_field(_MODEL_GRAPH, graph) + opset


def _typed(value: Attribute) -> bytes:
    """Return the fields of an attribute's value."""
    if isinstance(value, int):
        return write_number(_ATTRIBUTE_INT, value) + write_number(_ATTRIBUTE_TYPE, _TYPE_INT)
    if isinstance(value, float):
        number = write_varint(_ATTRIBUTE_FLOAT << 3 | _FIXED_32) + struct.pack("<f", value)
        return number + write_number(_ATTRIBUTE_TYPE, _TYPE_FLOAT)
    numbers = b"".join(write_number(_ATTRIBUTE_INTS, one) for one in value)
    return numbers + write_number(_ATTRIBUTE_TYPE, _TYPE_INTS)


def _text(number: int, text: str) -> bytes:
    return write_field(number, text.encode())


def _value(value: GraphValue) -> bytes:
    axes = b"".join(
        write_field(_DIM, _text(_DIM_PARAM, one))
        if isinstance(one, str)
        else write_field(_DIM, write_number(_DIM_VALUE, one))
        for one in value.shape
    )
    kind = write_number(_ELEMENT, _INT64 if value.whole else _FLOAT)
    tensor = write_field(_TYPE_TENSOR, kind + write_field(_SHAPE, axes))
    return _text(_VALUE_NAME, value.name) + write_field(_VALUE_TYPE, tensor)
