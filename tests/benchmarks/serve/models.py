"""Models to be served: a tiny perceptron and a small convolutional network, both with free rows."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Subject(NamedTuple):
    """A model file and what is sent to it.

    Attributes:
        row: Shape of one sample, without the axis of rows.
    """

    name: str
    path: Path
    row: tuple[int, ...]

    def sample(self) -> np.ndarray:
        """One sample, always the same."""
        generator = np.random.default_rng(0)
        return generator.random((1, *self.row), dtype=np.float32)


def perceptron(folder: Path) -> Subject:
    """784-1024-896-10: about 0.1 ms on one core, 3 kB of input."""
    sizes = (784, 1024, 896, 10)
    nodes, weights = [], []
    for number, (wide, narrow) in enumerate(pairwise(sizes)):
        weights += [_weight(f"w{number}", narrow, wide), _weight(f"b{number}", narrow)]
        names = [f"h{number}" if number else "x", f"w{number}", f"b{number}"]
        last = number == len(sizes) - 2
        nodes.append(helper.make_node("Gemm", names, ["y" if last else f"g{number}"], transB=1))
        if not last:
            nodes.append(helper.make_node("Relu", [f"g{number}"], [f"h{number + 1}"]))
    return _save(folder, "perceptron", nodes, weights, (784,), (10,))


def network(folder: Path) -> Subject:
    """Four convolutions over 3x96x96: 2 to 3 ms on one core, 110 kB of input."""
    channels = (3, 40, 80, 112, 128)
    nodes, weights = [], []
    value = "x"
    for number, (before, after) in enumerate(pairwise(channels)):
        weights.append(_weight(f"w{number}", after, before, 3, 3))
        weights.append(_weight(f"b{number}", after))
        stride = 1 if number in (1,) else 2
        nodes.append(
            helper.make_node(
                "Conv",
                [value, f"w{number}", f"b{number}"],
                [f"c{number}"],
                kernel_shape=[3, 3],
                pads=[1, 1, 1, 1],
                strides=[stride, stride],
            )
        )
        value = f"r{number}"
        nodes.append(helper.make_node("Relu", [f"c{number}"], [value]))
    weights.append(_weight("head", 10, channels[-1]))
    nodes += [
        helper.make_node("GlobalAveragePool", [value], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "head"], ["y"], transB=1),
    ]
    return _save(folder, "network", nodes, weights, (3, 96, 96), (10,))


def _weight(name: str, *shape: int) -> Any:
    generator = np.random.default_rng(len(name) + sum(shape))
    scale = (2.0 / max(1, int(np.prod(shape[1:])))) ** 0.5
    values = generator.standard_normal(shape).astype(np.float32) * np.float32(scale)
    return numpy_helper.from_array(values, name)


def _save(
    folder: Path,
    name: str,
    nodes: list[Any],
    weights: list[Any],
    row: tuple[int, ...],
    answer: tuple[int, ...],
) -> Subject:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        name,
        [value("x", TensorProto.FLOAT, ["rows", *row])],
        [value("y", TensorProto.FLOAT, ["rows", *answer])],
        initializer=weights,
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(model)
    path = folder / f"{name}.onnx"
    onnx.save(model, path)
    return Subject(name, path, row)
