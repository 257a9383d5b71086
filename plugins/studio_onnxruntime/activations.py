"""Activation function behind a value, as far as the graph shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper

Doubles = NDArray[numpy.float64]
Function = Callable[[Doubles], Doubles]


def identity(x: Doubles) -> Doubles:
    """Return the value itself, as where no activation is known."""
    return x


def following(graph: GraphProto) -> Mapping[str, Function]:
    """Return the activation behind each value with one reader; x * sigmoid(x) counts as one.

    An error of the value matters as far as it is still there behind that function: a Relu removes
    whatever happens below zero.
    """
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in dict.fromkeys(node.input):
            readers.setdefault(name, []).append(node)
    leaving = {value.name for value in graph.output}
    found = {}
    for name, nodes in readers.items():
        function = None if name in leaving else _through(name, nodes)
        if function is not None:
            found[name] = function
    return found


def _through(name: str, readers: list[NodeProto]) -> Function | None:
    functions = [(node, _function(node)) for node in readers]
    if len(readers) == 1:
        return functions[0][1]
    for node, function in functions:
        if function is not None and len(readers) == 2:
            other = next(reader for reader in readers if reader is not node)
            if other.op_type == "Mul" and set(other.input) == {name, node.output[0]}:
                return _gated(function)
    return None


def _gated(gate: Function) -> Function:
    return lambda x: x * gate(x)


def _function(node: NodeProto) -> Function | None:
    settings = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    slope, offset = settings.get("alpha", 0.2), settings.get("beta", 0.5)
    known: dict[str, Function] = {
        "Relu": lambda x: numpy.maximum(x, 0),
        "Sigmoid": lambda x: 1 / (1 + numpy.exp(-numpy.clip(x, -80, 80))),
        "Tanh": numpy.tanh,
        "HardSigmoid": lambda x: numpy.clip(slope * x + offset, 0, 1),
        "HardSwish": lambda x: x * numpy.clip(x / 6 + 0.5, 0, 1),
        "LeakyRelu": lambda x: numpy.where(x < 0, settings.get("alpha", 0.01) * x, x),
    }
    return known.get(node.op_type)
