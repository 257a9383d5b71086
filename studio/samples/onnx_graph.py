"""Small ONNX models written field by field, for samples that fit their model here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

from studio.packages.wire import write_field, write_number

_IR_VERSION, _OPSET, _FLOAT, _INT = 9, 17, 1, 2

# Numbers of fields: onnx.proto.
_MODEL_IR, _MODEL_GRAPH, _MODEL_OPSET, _OPSET_VERSION = 1, 7, 8, 2
_NODES, _NAME, _CONSTANTS, _INPUTS, _OUTPUTS = 1, 2, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_TYPE, _NODE_ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_TYPE = 1, 3, 20
_TENSOR_DIM, _TENSOR_TYPE, _TENSOR_NAME, _TENSOR_RAW = 1, 2, 8, 9
_VALUE_NAME, _VALUE_TYPE, _TYPE_TENSOR, _ELEMENT, _SHAPE = 1, 2, 1, 1, 2
_DIM, _DIM_VALUE, _DIM_PARAM = 1, 1, 2


class OnnxGraph:
    """A graph of float32 values with one input and one output, each batch x columns."""

    def __init__(self, name: str, given: tuple[str, int], result: tuple[str, int]) -> None:
        """Begin without nodes.

        Args:
            given, result: Names and columns of the input and of the output.
        """
        self._name = name
        self._ends = given, result
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, name: str, values: NDArray[numpy.float64]) -> str:
        """Add a constant; return its name."""
        dims = b"".join(write_number(_TENSOR_DIM, one) for one in values.shape)
        content = dims + write_number(_TENSOR_TYPE, _FLOAT) + _text(_TENSOR_NAME, name)
        raw = values.astype("<f4").tobytes()
        self._constants.append(content + write_field(_TENSOR_RAW, raw))
        return name

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: int) -> None:
        """Add a node; its attributes are whole numbers from 0 on."""
        content = b"".join(_text(_NODE_INPUT, one) for one in inputs)
        content += _text(_NODE_OUTPUT, output) + _text(_NODE_TYPE, operator)
        for name, value in attributes.items():
            one = _text(_ATTRIBUTE_NAME, name) + write_number(_ATTRIBUTE_INT, value)
            one += write_number(_ATTRIBUTE_TYPE, _INT)
            content += write_field(_NODE_ATTRIBUTE, one)
        self._nodes.append(content)

    def model(self) -> bytes:
        """Return the file of the model."""
        given, result = self._ends
        graph = b"".join(write_field(_NODES, one) for one in self._nodes)
        graph += _text(_NAME, self._name)
        graph += b"".join(write_field(_CONSTANTS, one) for one in self._constants)
        graph += write_field(_INPUTS, _value(*given)) + write_field(_OUTPUTS, _value(*result))
        opset = write_field(_MODEL_OPSET, write_number(_OPSET_VERSION, _OPSET))
        return write_number(_MODEL_IR, _IR_VERSION) + write_field(_MODEL_GRAPH, graph) + opset


def _text(number: int, text: str) -> bytes:
    return write_field(number, text.encode())


def _value(name: str, columns: int) -> bytes:
    """Return a value of batch x columns."""
    batch = write_field(_DIM, _text(_DIM_PARAM, "batch"))
    shape = batch + write_field(_DIM, write_number(_DIM_VALUE, columns))
    tensor = write_number(_ELEMENT, _FLOAT) + write_field(_SHAPE, shape)
    kind = write_field(_TYPE_TENSOR, tensor)
    return _text(_VALUE_NAME, name) + write_field(_VALUE_TYPE, kind)
