"""What the ONNX plugin's checks and its analyzer find, on files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import Level, Model, Silent, TensorType, UsageError
from studio.api.testing_declarations import check_analyzer, check_rule, small_model
from studio.models.analysis import FileConstants
from studio_onnx.format import OnnxFormat
from studio_onnx.rules import DoublePrecision, OpenSizes
from studio_onnx.sparsity import Sparsity


def read(path: Path) -> Model:
    return OnnxFormat().read(path, Silent())


def save(path: Path, nodes: list[Any], inputs: list[Any], weights: dict[str, Any]) -> Path:
    output = helper.make_empty_tensor_value_info("y")
    constants = [numpy_helper.from_array(numpy.asarray(v), k) for k, v in weights.items()]
    graph = helper.make_graph(nodes, "g", inputs, [output], constants)
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def identity(path: Path, shape: list[Any] | None, kind: int = TensorProto.FLOAT) -> Model:
    value = helper.make_tensor_value_info("x", kind, shape)
    return read(save(path, [helper.make_node("Identity", ["x"], ["y"])], [value], {}))


def test_they_conform() -> None:
    assert check_rule(OpenSizes()) == []
    assert check_rule(DoublePrecision()) == []
    assert check_analyzer(Sparsity()) == {}


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ([1, 3, 8, 8], ""),
        (["batch", 3, 8, 8], ""),
        ([None, 3], "axis 0 without a name"),
        (["batch", 3, "height", None], "axis 2 'height', axis 3 without a name"),
        (["batch", "sequence"], "axis 1 'sequence'"),
        (None, "has no shape"),
        ([], ""),
    ],
)
def test_open_sizes(tmp_path: Path, shape: list[Any] | None, words: str) -> None:
    found = OpenSizes().check(identity(tmp_path / "m.onnx", shape), {})
    assert [one.level for one in found] == ([Level.WARNING] if words else [])
    assert all(words in one.text and "'x'" in one.text for one in found)


def test_double_precision_of_an_input(tmp_path: Path) -> None:
    model = identity(tmp_path / "m.onnx", [1], TensorProto.DOUBLE)
    (found,) = DoublePrecision().check(model, {})
    assert (found.level, found.code) == (Level.WARNING, "float64")
    assert found.text.startswith("'x', 'y' are in float64")
    assert DoublePrecision().check(identity(tmp_path / "n.onnx", [1]), {}) == []


def test_double_precision_inside_a_branch_is_found_and_counted(tmp_path: Path) -> None:
    def branch(name: str, count: int) -> onnx.GraphProto:
        names = [f"{name}{index}" for index in range(count)]
        nodes = [helper.make_node("Add", [names[0], names[-1]], [f"{name}y"])]
        constants = [numpy_helper.from_array(numpy.zeros(2), one) for one in names]
        out = helper.make_tensor_value_info(f"{name}y", TensorProto.DOUBLE, [2])
        return helper.make_graph(nodes, name, [], [out], constants)

    node = helper.make_node(
        "If", ["x"], ["y"], then_branch=branch("a", 2), else_branch=branch("b", 4)
    )
    value = helper.make_tensor_value_info("x", TensorProto.BOOL, [])
    model = read(save(tmp_path / "m.onnx", [node], [value], {}))
    (found,) = DoublePrecision().check(model, {})
    # Two constants and a sum, four and a sum, and what the If gives of them.
    count = int(found.text.partition(" and ")[2].partition(" more")[0]) + 3
    assert count == 9


def sparsity(path: Path) -> dict[str, float]:
    form = OnnxFormat()
    graph = form.read(path, Silent()).graph
    return dict(Sparsity().analyze_weights(graph, FileConstants(form, path, Silent())))


def test_sparsity_counts_zeros_of_kernels_and_not_of_biases(tmp_path: Path) -> None:
    kernel = numpy.ones((4, 1, 1, 1), numpy.float32)
    kernel[:3] = 0
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], name="conv"),
        helper.make_node("Relu", ["c"], ["y"], name="relu"),
    ]
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 2, 2])
    weights = {"w": kernel, "b": numpy.zeros(4, numpy.float32)}
    assert sparsity(save(tmp_path / "m.onnx", nodes, [value], weights)) == {"conv": 75.0}


@pytest.mark.parametrize(
    ("zero", "axis", "share"),
    [
        (numpy.uint8(128), 0, 50.0),
        (numpy.array([128, 3], numpy.uint8), 0, 100.0),
        (numpy.array([3, 128], numpy.uint8), 1, 50.0),
        (numpy.array([128, 4], numpy.uint8), -2, 50.0),
        (numpy.array([128, 3], numpy.uint8), 9, None),
    ],
)
def test_the_zero_of_a_quantized_weight_is_its_zero_point(
    tmp_path: Path, zero: Any, axis: int, share: float | None
) -> None:
    weight = numpy.array([[128, 128], [3, 3]], numpy.uint8)
    scale = numpy.ones(numpy.shape(zero), numpy.float32)
    node = helper.make_node("DequantizeLinear", ["w", "s", "z"], ["y"], name="weights", axis=axis)
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    path = save(tmp_path / "m.onnx", [node], [value], {"w": weight, "s": scale, "z": zero})
    form = OnnxFormat()
    graph = form.structure(path, Silent()).graph
    found = Sparsity().analyze_weights(graph, FileConstants(form, path, Silent()))
    assert dict(found) == ({} if share is None else {"weights": share})


def test_a_model_whose_values_cannot_be_read_has_no_numbers() -> None:
    class Nothing:
        """Constants of a format that contains the graph only."""

        def read(self, name: str, most_bytes: int) -> Any:
            raise UsageError("no")

    assert small_model().graph.initializers["w"].type == TensorType("float32", (4, 3, 3, 3))
    assert Sparsity().analyze_weights(small_model().graph, Nothing()) == {}
