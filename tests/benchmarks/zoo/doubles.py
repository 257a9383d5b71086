"""A float model computed in double precision, by the reference implementation of the operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy
import onnx
from onnx import AttributeProto, GraphProto, TensorProto, helper, numpy_helper

Array = numpy.ndarray[Any, Any]


def outputs(model: onnx.ModelProto, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """What a model gives when each float, constant or computed, has 64 bits."""
    from onnx.reference import ReferenceEvaluator

    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    _widen(copy.graph)
    double = {name: _wide(array) for name, array in feeds.items()}
    names = [value.name for value in copy.graph.output]
    return dict(zip(names, ReferenceEvaluator(copy).run(None, double), strict=True))


def _wide(array: Array) -> Array:
    return array.astype(numpy.float64) if array.dtype == numpy.float32 else array


def _widen(graph: GraphProto) -> None:
    for tensor in graph.initializer:
        _widen_tensor(tensor)
    del graph.value_info[:]
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                _widen(attribute.g)
            elif attribute.type == AttributeProto.TENSOR:
                _widen_tensor(attribute.t)
            elif (node.op_type, attribute.name, attribute.i) == ("Cast", "to", TensorProto.FLOAT):
                attribute.CopyFrom(helper.make_attribute("to", TensorProto.DOUBLE))


def _widen_tensor(tensor: TensorProto) -> None:
    if tensor.data_type == TensorProto.FLOAT:
        array = numpy_helper.to_array(tensor).astype(numpy.float64)
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
