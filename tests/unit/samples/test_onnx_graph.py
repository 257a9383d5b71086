"""Small ONNX models as the library of ONNX reads them."""

from __future__ import annotations

import numpy
import onnx
import onnxruntime

from studio.samples.onnx_graph import GraphValue, OnnxGraph


def test_a_graph_is_valid_and_computes() -> None:
    given, result = GraphValue("x", ("batch", 2)), GraphValue("y", ("batch", 4))
    graph = OnnxGraph("double", [given], [result])
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


def test_attributes_of_every_type_and_whole_numbers() -> None:
    given = GraphValue("x", ("batch", 2, 3), whole=True)
    graph = OnnxGraph("turned", [given], [GraphValue("y", ("batch", 3, 2))])
    graph.add("Add", ["x", graph.constant("one", numpy.array([1]))], "more")
    graph.add("Transpose", ["more"], "turned", perm=(0, 2, 1))
    graph.add("Cast", ["turned"], "numbers", to=1)
    graph.add("LeakyRelu", ["numbers"], "y", alpha=0.5)
    content = graph.model()
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content)
    (found,) = session.run(None, {"x": numpy.array([[[1, -3, 5], [7, 9, -11]]])})
    assert found.tolist() == [[[2, 8], [-1, 10], [6, -5]]]
