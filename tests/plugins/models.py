"""Small models, made on the spot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

_FLOAT = TensorProto.FLOAT


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Mapping[str, Sequence[int | str]],
    constants: Mapping[str, numpy.ndarray] | None = None,
    *,
    opset: int = 17,
) -> Path:
    """Write a model with float inputs and outputs of these shapes."""
    graph = helper.make_graph(
        list(nodes),
        path.stem,
        [helper.make_tensor_value_info(name, _FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, _FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, str(path))
    return path


def attention(path: Path, *, named: bool = True) -> Path:
    """Convolution, batch normalisation, a product of two activations, and a dense layer."""
    random = numpy.random.default_rng(0)

    def weights(*shape: int) -> numpy.ndarray:
        return (random.normal(size=shape) / numpy.sqrt(numpy.prod(shape[1:]))).astype("float32")

    ones = numpy.ones(8, "float32")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", kernel_shape=[3, 3], pads=[1] * 4),
        helper.make_node("BatchNormalization", ["c", "one", "zero", "zero", "one"], ["n"], "norm"),
        helper.make_node("Relu", ["n"], ["r"], "relu"),
        helper.make_node("Reshape", ["r", "square"], ["s"], "square"),
        helper.make_node("Transpose", ["s"], ["t"], "turn", perm=[0, 2, 1]),
        helper.make_node("MatMul", ["s", "t"], ["a"], "attention"),
        helper.make_node("MatMul", ["a", "v"], ["p"], "project"),
        helper.make_node("Flatten", ["p"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "g", "b"], ["y"], "dense", transB=1),
    ]
    if not named:
        for node in nodes:
            node.ClearField("name")
    constants = {
        "w": weights(8, 3, 3, 3), "one": ones * 1.5, "zero": ones * 0, "v": weights(8, 6),
        "g": weights(5, 48), "b": weights(5), "square": numpy.array([0, 8, -1]),
    }  # fmt: skip
    return save(path, nodes, {"x": ["batch", 3, 8, 8]}, {"y": ["batch", 5]}, constants)
