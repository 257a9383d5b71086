"""Small ONNX models as the library of ONNX reads them."""

from __future__ import annotations

import numpy
import onnx
import onnxruntime

from studio.samples.onnx_graph import OnnxGraph


def test_a_graph_is_valid_and_computes() -> None:
    graph = OnnxGraph("double", ("x", 2), ("y", 4))
    graph.add("Mul", ["x", graph.constant("two", numpy.array([[2.0]]))], "z")
    graph.add("Concat", ["x", "z"], "y", axis=1)
    content = graph.model()
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert model.graph.name == "double"
    assert [
        one.dim_param or one.dim_value for one in model.graph.input[0].type.tensor_type.shape.dim
    ] == ["batch", 2]
    session = onnxruntime.InferenceSession(content)
    (found,) = session.run(None, {"x": numpy.float32([[1, 2], [3, 4], [5, 6]])})
    assert found.tolist() == [[1, 2, 2, 4], [3, 4, 6, 8], [5, 6, 10, 12]]
