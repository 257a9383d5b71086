"""Attention as outputs: found by its form in the graph, and no classifier is taken for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import Silent, UsageError
from studio_onnx.surgery.attention import ShowAttention

X = numpy.array([[[1, 0], [0, 2], [1, 1]]], dtype=numpy.float32)


def saved(folder: Path, nodes: list[Any], kind: int = TensorProto.FLOAT) -> Path:
    value = helper.make_tensor_value_info
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    constants = {
        "w": numpy.ones((2, 2), dtype=dtype),
        "mask": numpy.zeros((3,), dtype=dtype),
        "step": numpy.array(0.1, dtype=numpy.float32),
    }
    graph = helper.make_graph(
        nodes,
        "g",
        [value("x", kind, [1, 3, 2])],
        [value("y", kind, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    path = folder / "m.onnx"
    version = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=version, ir_version=8), str(path))
    return path


def layer() -> list[Any]:
    return [
        helper.make_node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["x", "t"], ["s"]),
        helper.make_node("Add", ["s", "mask"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["p"]),
        helper.make_node("MatMul", ["p", "x"], ["y"]),
    ]


def edited(path: Path) -> Path:
    output = path.with_name("seen.onnx")
    return ShowAttention().apply(path, output, {}, None, Silent()).path


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16])
def test_attention_is_an_output(tmp_path: Path, kind: int) -> None:
    session = onnxruntime.InferenceSession(str(edited(saved(tmp_path, layer(), kind))))
    x = X.astype(helper.tensor_dtype_to_np_dtype(kind))
    (found,) = session.run(["attention.0"], {"x": x})
    weights = numpy.exp(X @ X.transpose(0, 2, 1))
    expected = weights / weights.sum(axis=-1, keepdims=True)
    numpy.testing.assert_allclose(found, expected, atol=2e-3)
    assert found.dtype == numpy.float32


def test_softmax_of_a_classifier_is_no_attention(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["w", "step"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "step"], ["rounded"]),
        helper.make_node("MatMul", ["x", "rounded"], ["s"]),
        helper.make_node("Softmax", ["s"], ["y"]),
    ]
    with pytest.raises(UsageError, match=r"^The graph has no attention that can be seen\.$"):
        edited(saved(tmp_path, nodes))


def test_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    nodes = [*layer(), helper.make_node("Relu", ["p"], ["attention.0"])]
    with pytest.raises(UsageError, match=r"^The name 'attention\.0' is taken already\.$"):
        edited(saved(tmp_path, nodes))
