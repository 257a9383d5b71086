"""Quantizers on unusual models: sequences, functions, old operator sets, sizes by the data."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import pytest
from onnx import helper, numpy_helper

from studio.api import InvalidModel, Sample, Silent, Transform
from studio_onnxruntime.bf16 import BFloat16
from studio_onnxruntime.fp16 import Float16
from studio_onnxruntime.preparation import raised
from studio_onnxruntime.static_int8 import StaticInt8

from . import models, onnx_files
from .test_studio_onnxruntime import Noise, run, sqnr, static

RANDOM = numpy.random.default_rng(0)
FEWEST_FOR_SENSITIVITY = 12


def weight(*shape: int) -> numpy.ndarray:
    return (RANDOM.normal(size=shape) * 0.2).astype("float32")


def layers(count: int) -> tuple[list[onnx.NodeProto], dict[str, numpy.ndarray]]:
    """Convolutions in a row, from ``x`` to ``r{count}``."""
    nodes, constants = [], {}
    for k in range(count):
        read = f"r{k}" if k else "x"
        constants[f"w{k}"] = weight(4, 4 if k else 3, 3, 3)
        conv = helper.make_node("Conv", [read, f"w{k}"], [f"c{k}"], f"conv{k}", pads=[1] * 4)
        nodes += [conv, helper.make_node("Relu", [f"c{k}"], [f"r{k + 1}"], f"relu{k}")]
    return nodes, constants


def with_sequence(path: Path, count: int, *, alone: bool) -> Path:
    """A model that also gives a sequence, or gives that alone."""
    nodes, constants = layers(count)
    nodes.append(helper.make_node("SplitToSequence", [f"r{count}"], ["s"], "split", axis=1))
    outputs = [helper.make_tensor_sequence_value_info("s", onnx.TensorProto.FLOAT, [1, 1, 8, 8])]
    if not alone:
        outputs.insert(0, onnx_files.floats(f"r{count}", [1, 4, 8, 8]))
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    proto = onnx_files.model(
        nodes, [onnx_files.floats("x", [1, 3, 8, 8])], outputs, tensors, ir_version=8
    )
    return onnx_files.save(proto, path)


@pytest.mark.parametrize("count", [1, FEWEST_FOR_SENSITIVITY])
def test_a_sequence_beside_a_tensor_is_left_alone(tmp_path: Path, count: int) -> None:
    model = with_sequence(tmp_path / "m.onnx", count, alone=False)
    made = static(model)
    assert sqnr(model, made.path, Noise()) > 20
    assert len(onnx.load(str(made.path)).graph.output) == 2


@pytest.mark.parametrize("transform", [StaticInt8(), Float16(), BFloat16()])
def test_a_sequence_alone_is_refused_with_its_node(tmp_path: Path, transform: Transform) -> None:
    model = with_sequence(tmp_path / "m.onnx", 1, alone=True)
    with pytest.raises(InvalidModel, match="SplitToSequence 'split' gives 's', a sequence") as told:
        transform.apply(model, tmp_path / "out.onnx", {}, Noise(), Silent())
    assert "studio edit m.onnx --edit 'extract end=r1'" in told.value.hint
    with pytest.raises(InvalidModel, match="SplitToSequence 'split'"):
        run(model, next(iter(Noise())))


def of_functions(path: Path) -> Path:
    """A model of calls, in one of which another function is called, in opset 22."""
    inner = helper.make_function(
        "local",
        "ConvRelu",
        ["a", "b"],
        ["o"],
        [helper.make_node("Conv", ["a", "b"], ["t"]), helper.make_node("Relu", ["t"], ["o"])],
        [helper.make_opsetid("", 22)],
    )
    calls = [
        helper.make_node("ConvRelu", ["a", "b"], ["m"], domain="local"),
        helper.make_node("ConvRelu", ["m", "c"], ["o"], domain="local"),
    ]
    imports = [helper.make_opsetid("", 22), helper.make_opsetid("local", 1)]
    outer = helper.make_function("local", "Stage", ["a", "b", "c"], ["o"], calls, imports)
    nodes = [
        helper.make_node("Stage", ["x", "w0", "w1"], ["h"], "first", domain="local"),
        helper.make_node("Stage", ["h", "w2", "w2"], ["y"], "second", domain="local"),
    ]
    shapes = {"w0": (4, 3, 1, 1), "w1": (4, 4, 1, 1), "w2": (4, 4, 1, 1)}
    constants = [numpy_helper.from_array(weight(*shape), name) for name, shape in shapes.items()]
    ends = [onnx_files.floats("x", [1, 3, 8, 8])], [onnx_files.floats("y", [1, 4, 8, 8])]
    proto = onnx_files.model(
        nodes, *ends, constants, opset_imports=imports, functions=[inner, outer], ir_version=10
    )
    return onnx_files.save(proto, path)


def test_functions_are_quantized_in_their_place(tmp_path: Path) -> None:
    model = of_functions(tmp_path / "m.onnx")
    made = static(model, float_outliers=False)
    assert made.facts["quantized"] == 4
    assert sqnr(model, made.path, Noise()) > 20
    names = [node.name for node in onnx.load(str(made.path)).graph.node if node.op_type == "Conv"]
    assert names == ["first/Conv", "first/Conv#2", "second/Conv", "second/Conv#2"]


def test_a_call_is_kept_in_float_by_its_name(tmp_path: Path) -> None:
    made = static(of_functions(tmp_path / "m.onnx"), keep=["first"])
    assert set(made.facts["kept"]) >= {"first/Conv", "first/Conv#2"}
    assert made.facts["quantized"] == 2


def resized(path: Path, operator: str, opset: int, mode: str) -> Path:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1] * 4),
        helper.make_node(operator, ["c", "scales"], ["y"], "larger", mode=mode),
    ]
    constants = {"w": weight(8, 3, 3, 3), "scales": numpy.array([1, 1, 1.5, 2], "float32")}
    shapes = {"x": [1, 3, 8, 8]}, {"y": [1, 8, 12, 16]}
    return models.save(path, nodes, *shapes, constants, opset=opset)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize(("operator", "opset"), [("Upsample", 9), ("Resize", 10)])
def test_resizes_of_old_operator_sets_stay_the_same(
    tmp_path: Path, operator: str, opset: int, mode: str
) -> None:
    model = resized(tmp_path / "m.onnx", operator, opset, mode)
    sample = Sample({"x": RANDOM.normal(size=(1, 3, 8, 8)).astype("float32")})
    newer = tmp_path / "newer.onnx"
    onnx.save(raised(onnx.load(str(model))), str(newer))
    numpy.testing.assert_allclose(run(newer, sample), run(model, sample), atol=1e-6)
    assert sqnr(model, static(model).path, Noise()) > 20
    bf16 = BFloat16().apply(model, tmp_path / "bf16.onnx", {}, None, Silent()).path
    assert sqnr(model, bf16, Noise()) > 20


def test_what_cannot_be_raised_is_refused_with_its_node(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Greater", ["c", "c"], ["g"], "compared"),
        helper.make_node("Cast", ["g"], ["y"], "cast", to=1),
    ]
    shapes = {"x": [1, 3, 8, 8]}, {"y": [1, 4, 8, 8]}
    model = models.save(tmp_path / "m.onnx", nodes, *shapes, {"w": weight(4, 3, 1, 1)}, opset=6)
    with pytest.raises(InvalidModel, match="onnx cannot convert the Greater 'compared'") as told:
        static(model)
    assert "Assertion" not in told.value.message
    assert told.value.hint == "Export the model again with opset 13 or later."


def test_the_layers_of_a_detector_are_ranked_though_its_sizes_vary(tmp_path: Path) -> None:
    """NonZero gives as many rows as values are positive; rounding changes how many are."""
    nodes, constants = layers(FEWEST_FOR_SENSITIVITY)
    last = nodes[-2].output[0]  # before its Relu
    nodes[-1] = helper.make_node("NonZero", ["p"], ["indices"], "chosen")
    nodes.insert(-1, helper.make_node("Relu", [last], ["p"], "positive"))
    nodes.append(helper.make_node("Cast", ["indices"], ["y"], "cast", to=1))
    model = models.save(tmp_path / "m.onnx", nodes, {"x": [1, 3, 8, 8]}, {"y": [4, "n"]}, constants)
    made = static(model)
    assert made.facts["quantized"] > 0
