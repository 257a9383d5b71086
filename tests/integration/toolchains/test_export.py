"""ONNX models as TFLite, OpenVINO IR, ExecuTorch, Core ML and PyTorch, by their makers' tools."""

from __future__ import annotations

import json
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import Limits
from studio_tflite.structure import load
from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

_LONG = 1800

_NEEDS = {
    "openvino": ("openvino",),
    "pytorch-export": ("pytorch",),
    "tflite": ("pytorch", "litert-torch"),
    "executorch": ("pytorch", "executorch"),
    "coreml": ("pytorch", "coreml"),
}


def export(studio: Studio, model: Path, to: str, *more: str | Path) -> dict[str, Any]:
    for name in _NEEDS[to]:
        install(studio, name)
    found: dict[str, Any] = studio.ok("convert", model, "--to", to, *more, timeout=_LONG)
    return found


@pytest.mark.parametrize("to", ["openvino", "pytorch-export", "tflite", "executorch"])
def test_digits_have_the_same_numbers(kept: Studio, digits: Path, tmp_path: Path, to: str) -> None:
    out = tmp_path / f"digits-{to}"
    data = ("--data", digits / "calibration.npz")
    found = export(kept, digits / "digits.onnx", to, "--out", out, *data)
    (check,) = found["checks"]
    assert check["max_error"] < 1e-5
    assert check["argmax_equal"] == 1.0
    assert out.stat().st_size == found["bytes"] or to == "openvino"


@pytest.mark.parametrize("to", ["tflite", "openvino"])
def test_what_the_studio_opens_is_a_variant_like_any_other(
    kept: Studio, digits: Path, to: str
) -> None:
    found = export(kept, digits / "digits.onnx", to)
    install(kept, {"tflite": "litert"}.get(to, to))
    variant = f"#{found['variant']}"
    score = kept.ok("evaluate", variant, "--data", digits / "heldout.npz")
    assert score["metric"]["value"] > 0.99
    matched = kept.ok("diff", digits / "digits.onnx", variant)
    assert matched["matched"] == matched["compute"]


@pytest.mark.parametrize("precision", ["int8", "int8-whole"])
def test_int8_tflite_keeps_floats_at_its_ends(kept: Studio, digits: Path, precision: str) -> None:
    data = ("--precision", precision, "--data", digits / "calibration.npz")
    found = export(kept, digits / "digits.onnx", "tflite", *data)
    install(kept, "litert")
    assert found["bytes"] < 45_000
    assert found["checks"][0]["limit"] is None
    assert found["checks"][0]["max_error"] < 0.03
    score = kept.ok("evaluate", f"#{found['variant']}", "--data", digits / "heldout.npz")
    assert score["metric"]["value"] > 0.99


def test_activations_and_means_stay_with_their_convolutions(kept: Studio, tmp_path: Path) -> None:
    """LEAKY_RELU computes in 8 bits, and no map of a picture is transposed for a mean."""
    random = numpy.random.default_rng(0)
    weights = {"w": (8, 3, 3, 3), "g": (8, 5)}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1] * 4),
        helper.make_node("LeakyRelu", ["c"], ["r"], "leaky", alpha=0.1),
        helper.make_node("ReduceMean", ["r"], ["m"], "mean", axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["m", "g"], ["y"], "dense"),
    ]
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in (("x", [1, 3, 16, 16]), ("y", [1, 5]))
    ]
    arrays = [
        numpy_helper.from_array(random.normal(size=shape).astype("float32"), name)
        for name, shape in weights.items()
    ]
    graph = helper.make_graph(nodes, "leaky", *ends, arrays)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(tmp_path / "leaky.onnx"))
    samples = random.normal(size=(8, 3, 16, 16)).astype("float32")
    numpy.savez(tmp_path / "samples.npz", x=samples)
    out = tmp_path / "leaky.tflite"
    words = ("--precision", "int8-io", "--data", tmp_path / "samples.npz", "--out", out)
    export(kept, tmp_path / "leaky.onnx", "tflite", *words)
    operators = [one.kind for one in load(out, Limits()).graphs[0].operators]
    assert operators == ["TRANSPOSE", "CONV_2D", "LEAKY_RELU", "MEAN", "FULLY_CONNECTED"]


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_tflite_keeps_what_is_known_of_the_model(
    kept: Studio, digits: Path, tmp_path: Path, precision: str
) -> None:
    """The metadata of the file are read by the way back, from the file alone."""
    model = onnx.load(digits / "digits.onnx")
    helper.set_model_props(model, {"license": "Apache-2.0", "author": "A. N."})
    source = tmp_path / "known.onnx"
    onnx.save(model, source)
    names, settings = tmp_path / "names.txt", tmp_path / "p.toml"
    names.write_text("".join(f"class {one}\n" for one in range(10)), encoding="utf-8")
    settings.write_text(
        'resize = "stretch"\nheight = 8\nwidth = 8\ncolor = "GRAY"\nmean = [0.5]\nstd = [0.25]\n',
        encoding="utf-8",
    )
    kept.ok("inspect", source)
    kept.ok("project", "set", source, "--labels", names, "--preprocess", settings)
    out, back = tmp_path / "known.tflite", tmp_path / "back" / "known.onnx"
    back.parent.mkdir()
    data = ("--precision", precision, "--data", digits / "calibration.npz")
    made = export(kept, source, "tflite", "--out", out, *data)
    assert not [one for one in made["warnings"] if "metadata" in one or "labels" in one]
    install(kept, "tensorflow")
    found = kept.ok("convert", out, "--out", back, timeout=_LONG)
    assert found["metadata"]["license"] == "Apache-2.0"
    assert found["metadata"]["author"] == "A. N."
    assert (back.parent / "labels.txt").read_text() == names.read_text()
    pixels = tomllib.loads((back.parent / "preprocess.toml").read_text())
    assert (pixels["color"], pixels["height"], pixels["width"]) == ("GRAY", 8, 8)
    assert pixels["mean"] == [127.5]
    assert pixels["std"] == [63.75]


EMPTY_THE_OLD_FIELD = """
import sys, flatbuffers
from ai_edge_litert import schema_py_generated as schema
with open(sys.argv[1], "rb") as file:
    model = schema.ModelT.InitFromPackedBuf(bytearray(file.read()), 0)
for code in model.operatorCodes:
    assert code.deprecatedBuiltinCode == min(code.builtinCode, 127)
    code.deprecatedBuiltinCode = 0
builder = flatbuffers.Builder(1 << 20)
builder.Finish(model.Pack(builder), b"TFL3")
with open(sys.argv[1], "wb") as file:
    file.write(builder.Output())
"""


def test_operators_in_the_new_field_alone_are_read(
    kept: Studio, digits: Path, tmp_path: Path
) -> None:
    """As Google's quantizer writes them; our own file has both fields."""
    made = tmp_path / "new.tflite"
    data = ("--precision", "int8", "--data", digits / "calibration.npz", "--out", made)
    export(kept, digits / "digits.onnx", "tflite", *data)
    python = Path(kept.environment["EDGEWRIGHT_HOME"]) / "data/environments/studio_litert_torch/bin"
    subprocess.run([python / "python", "-c", EMPTY_THE_OLD_FIELD, made], check=True, timeout=300)
    install(kept, "tensorflow")
    found = kept.ok("convert", made, timeout=_LONG)
    assert found["checks"][0]["max_error"] < 0.05


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_weights_of_tflite_lie_where_its_schema_has_them(
    kept: Studio, tmp_path: Path, precision: str
) -> None:
    model = wide_layers(tmp_path / "wide.onnx")
    data = tmp_path / "data.npz"
    numpy.savez(data, x=numpy.random.default_rng(0).standard_normal((8, 512), numpy.float32))
    made = tmp_path / "wide.tflite"
    more = ("--precision", precision, "--data", data, "--input", "x=1,512", "--out", made)
    found = export(kept, model, "tflite", *more)
    assert found["checks"][0]["max_error"] < (1e-5 if precision == "fp32" else 0.03)
    weights = [place for place, size in load(made, Limits()).buffers if size >= 512]
    assert len(weights) >= 2
    assert not [place for place in weights if place % 16]


def test_a_transposed_convolution_with_a_bias_runs_in_8_bits(kept: Studio, tmp_path: Path) -> None:
    rng = numpy.random.default_rng(2)
    weights = [
        numpy_helper.from_array(rng.standard_normal((3, 8, 2, 2), numpy.float32), "w"),
        numpy_helper.from_array(rng.standard_normal(8, numpy.float32), "b"),
    ]
    nodes = [helper.make_node("ConvTranspose", ["x", "w", "b"], ["y"], strides=[2, 2])]
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in (("x", [1, 3, 8, 8]), ("y", [1, 8, 16, 16]))
    ]
    graph = helper.make_graph(nodes, "up", *ends, weights)
    model = tmp_path / "up.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), model
    )
    data = tmp_path / "data.npz"
    numpy.savez(data, x=rng.standard_normal((8, 3, 8, 8), numpy.float32))
    found = export(kept, model, "tflite", "--precision", "int8", "--data", data)
    assert found["checks"][0]["max_error"] < 0.03


@pytest.mark.parametrize(
    ("to", "error"), [("tflite", 1e-5), ("executorch", 1e-5), ("coreml", 0.01)]
)
def test_arithmetic_with_constants_takes_no_transpositions(
    kept: Studio, tmp_path: Path, to: str, error: float
) -> None:
    """Channels stay last between convolutions, also around what ONNX has as tensors of one axis."""
    made = tmp_path / "made"
    found = export(kept, hard_swish(tmp_path / "swish.onnx"), to, "--out", made)
    assert found["checks"][0]["max_error"] < error
    if to == "tflite":
        operators = kept.ok("inspect", made)["operators"]
        assert operators["TRANSPOSE"] == 2  # of the input and the output
        assert operators["HARD_SWISH"] == 1


def hard_swish(path: Path) -> Path:
    """Two convolutions; between them a hard swish of its parts, and a factor for each channel."""
    rng = numpy.random.default_rng(3)
    weights = {
        "a": rng.standard_normal((8, 3, 3, 3), numpy.float32),
        "three": numpy.array([3], numpy.float32),
        "six": numpy.array(6, numpy.float32),
        "low": numpy.array(0, numpy.float32),
        "factors": rng.standard_normal((8, 1, 1), numpy.float32),
        "b": rng.standard_normal((4, 8, 1, 1), numpy.float32),
    }
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["c"]),
        helper.make_node("Add", ["three", "c"], ["s"]),
        helper.make_node("Clip", ["s", "low", "six"], ["l"]),
        helper.make_node("Mul", ["c", "l"], ["m"]),
        helper.make_node("Div", ["m", "six"], ["d"]),
        helper.make_node("Mul", ["d", "factors"], ["f"]),
        helper.make_node("Conv", ["f", "b"], ["y"]),
    ]
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)]
        for name, shape in (("x", [1, 3, 16, 16]), ("y", [1, 4, 14, 14]))
    ]
    kept = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "swish", *ends, kept)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path


def wide_layers(path: Path) -> Path:
    """A model with weights of a megabyte, which the quantizer writes behind its flatbuffer."""
    rng = numpy.random.default_rng(1)
    weights = [
        numpy_helper.from_array(rng.standard_normal((512, 512), numpy.float32) / 22, name)
        for name in ("a", "b")
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "a"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "b"], ["y"]),
    ]
    ends = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 512])] for name in "xy"
    ]
    graph = helper.make_graph(nodes, "wide", *ends, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize(("precision", "error"), [("fp32", 1e-5), ("fp16", 1e-2), ("int8", 0.1)])
def test_a_core_ml_package_is_checked_operator_by_operator(
    kept: Studio, digits: Path, tmp_path: Path, precision: str, error: float
) -> None:
    out = tmp_path / "digits.mlpackage"
    more = ("--precision", precision, "--data", digits / "calibration.npz")
    found = export(kept, digits / "digits.onnx", "coreml", "--out", out, *more)
    assert json.loads((out / "Manifest.json").read_text())["itemInfoEntries"]
    (check,) = found["checks"]
    assert check["max_error"] < error
    assert check["argmax_equal"] == 1.0
    assert any("one by one, in float32" in text for text in found["warnings"])


def test_names_travel_with_a_program(kept: Studio, digits: Path, tmp_path: Path) -> None:
    out = tmp_path / "digits.pt2"
    export(kept, digits / "digits.onnx", "pytorch-export", "--out", out)
    with zipfile.ZipFile(out) as archive:
        (entry,) = [name for name in archive.namelist() if name.endswith("onnx_names.json")]
        names = json.loads(archive.read(entry))
    assert names == {"inputs": ["image"], "outputs": ["logits"]}


def model_of(node: onnx.NodeProto, path: Path) -> Path:
    """Save a model of one node with a float input and output of 2 by 2."""
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy"]
    opset = [helper.make_opsetid("", 17)]
    graph = helper.make_graph([node], "one", sides[:1], sides[1:])
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def test_an_operator_that_cannot_be_traced_is_named(kept: Studio, tmp_path: Path) -> None:
    install(kept, "pytorch")
    model = model_of(helper.make_node("Celu", ["x"], ["y"]), tmp_path / "celu.onnx")
    done = kept.run("export", model, "--to", "pytorch-export")
    assert done.code == 1
    assert "has no operator Celu" in done.err


def test_the_numbers_of_a_constant_part_stay(kept: Studio, tmp_path: Path) -> None:
    """What follows from constants is folded."""
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Cast", ["shape"], ["sizes"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["x", "sizes"], ["y"]),
    ]
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy"]
    graph = helper.make_graph(nodes, "shape", sides[:1], sides[1:])
    opset = [helper.make_opsetid("", 17)]
    path = tmp_path / "shape.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    found = export(kept, path, "openvino")
    assert found["checks"][0]["max_error"] < 1e-6
    found = export(kept, path, "pytorch-export")
    assert found["checks"][0]["max_error"] < 1e-6


def branching(condition: list[onnx.NodeProto], path: Path, *inputs: onnx.ValueInfoProto) -> Path:
    """Save a model that doubles or negates, as the value ``flag`` of some nodes has it."""
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy"]
    then, other = (
        helper.make_graph(
            [helper.make_node(operator, taken, [name])],
            name,
            [],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4])],
        )
        for operator, taken, name in (("Add", ["x", "x"], "twice"), ("Neg", ["x"], "less"))
    )
    choice = helper.make_node("If", ["flag"], ["y"], "choice", then_branch=then, else_branch=other)
    constants = [helper.make_tensor(name, TensorProto.INT64, [], [2]) for name in ("two", "first")]
    constants[1].int64_data[0] = 0
    graph = helper.make_graph(
        [*condition, choice], "branches", [sides[0], *inputs], sides[1:], constants
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, path)
    return path


@pytest.mark.parametrize("to", ["openvino", "pytorch-export"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_branch_that_follows_from_a_size_is_taken(
    kept: Studio, tmp_path: Path, to: str, count: int
) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["sizes"]),
        helper.make_node("Gather", ["sizes", "first"], ["count"]),
        helper.make_node("Equal", ["count", "two"], ["flag"]),
    ]
    model = branching(nodes, tmp_path / "sizes.onnx")
    found = export(kept, model, to, "--input", f"x={count},4")
    assert found["checks"][0]["max_error"] < 1e-6


def test_a_branch_that_follows_from_an_input_names_it_and_its_remedy_works(
    kept: Studio, tmp_path: Path
) -> None:
    install(kept, "pytorch")
    rate = helper.make_tensor_value_info("rate", TensorProto.INT64, [])
    nodes = [helper.make_node("Equal", ["rate", "two"], ["flag"])]
    model = branching(nodes, tmp_path / "rates.onnx", rate)
    done = kept.run("export", model, "--to", "pytorch-export")
    assert done.code == 1
    assert "branch 'choice' (If) follows from the values of the input 'rate'" in done.err
    fixed = tmp_path / "fixed.onnx"
    kept.ok("edit", model, "--edit", "constant rate=2", "--edit", "fold", "--out", fixed)
    found = export(kept, fixed, "pytorch-export")
    assert found["checks"][0]["max_error"] < 1e-6
