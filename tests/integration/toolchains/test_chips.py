"""Models checked for chips by the vendors' own compilers and interpreters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

_LONG = 1800
PRESETS = ("int8", "int8-arm", "a16w8", "int8-weights", "int8-tensorrt", "int8-qnn", "a16w8-qnn")


@pytest.fixture(scope="module")
def digits_in_8_bits(
    tmp_path_factory: pytest.TempPathFactory, rigs: Path, digits: Path
) -> dict[str, Path]:
    """Digits as TFLite, by precision."""
    studio = Studio(tmp_path_factory.mktemp("digits"))
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    for name in ("pytorch", "litert-torch", "ethos-u"):
        install(studio, name)
    found = {}
    for precision in ("fp32", "int8-whole", "int8-io"):
        found[precision] = tmp_path_factory.mktemp(precision) / "digits.tflite"
        data = ("--data", digits / "calibration.npz", "--out", found[precision])
        words = ("--to", "tflite", "--precision", precision, *data)
        studio.ok("convert", digits / "digits.onnx", *words, timeout=_LONG)
    return found


def checked(studio: Studio, model: str | Path, chip: str, *more: str | Path) -> dict[str, Any]:
    for name in ("pytorch", "litert-torch", "ethos-u"):
        install(studio, name)
    return studio.ok("check", model, "--for", chip, *more, timeout=_LONG)


@pytest.mark.parametrize("chip", ["ethos-u55-128", "ethos-u65-512", "ethos-u85-256"])
def test_an_onnx_model_is_exported_and_compiled(
    kept: Studio, digits: Path, tmp_path: Path, chip: str
) -> None:
    out = tmp_path / "digits.bin"
    found = checked(kept, digits / "digits.onnx", chip, "--out", out)
    assert (found["verdict"], found["how"], found["on_device"]) == ("runs", "compiled", False)
    assert found["nodes"]["on_chip"] == found["nodes"]["total"] >= 4
    assert found["refused"] == []
    assert 0 < found["estimate"]["latency_ms"] < 1
    assert found["estimate"]["sram_bytes"] < 64 * 1024
    assert out.stat().st_size == found["bytes"]
    assert out.read_bytes()[4:8] == b"TFL3"
    assert found["numbers"] is None
    assert any("Outputs not compared" in text for text in found["warnings"])


@pytest.mark.parametrize("chip", ["ethos-u55-128", "tflite-micro"])
def test_a_hard_sigmoid_and_a_nearest_resize_run_on_the_chip(
    kept: Studio, tmp_path: Path, chip: str
) -> None:
    data = tmp_path / "samples.npz"
    numpy.savez(data, x=numpy.random.default_rng(1).normal(size=(8, 2, 8, 8)).astype("float32"))
    found = checked(kept, gate_and_resize(tmp_path), chip, "--data", data)
    assert found["verdict"] == "runs", found["refused"]
    assert found["nodes"]["fallback"] == 0


def gate_and_resize(folder: Path) -> Path:
    """A model of a hard sigmoid, and of a resize that doubles rows and columns."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2, side, side])
        for name, side in (("x", 8), ("y", 16))
    ]
    how = {"mode": "nearest", "nearest_mode": "floor"}
    where = {"coordinate_transformation_mode": "asymmetric"}
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("HardSigmoid", ["c"], ["h"], "gate", alpha=0.2, beta=0.5),
        helper.make_node("Resize", ["h", "", "scales"], ["y"], "double", **how, **where),
    ]
    weights = [
        helper.make_tensor("w", TensorProto.FLOAT, [2, 2, 1, 1], [0.7, -0.3, 0.2, 0.9]),
        helper.make_tensor("scales", TensorProto.FLOAT, [4], [1.0, 1.0, 2.0, 2.0]),
    ]
    graph = helper.make_graph(nodes, "gate", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "gate.onnx")
    return folder / "gate.onnx"


def test_a_float_model_is_refused_node_by_node(
    kept: Studio, digits_in_8_bits: dict[str, Path]
) -> None:
    done = kept.run("check", digits_in_8_bits["fp32"], "--for", "ethos-u55-128", "--json")
    assert done.code == 3
    found = done.json
    assert (found["verdict"], found["precision"]) == ("refused", "fp32")
    assert found["nodes"]["on_chip"] == 0
    assert found["nodes"]["fallback"] == len(found["refused"]) > 5
    assert all("Float32" in one["reason"] for one in found["refused"])
    assert found["artefact"] == ""


def test_a_microcontroller_has_an_arena_and_the_numbers(
    kept: Studio, digits: Path, tmp_path: Path
) -> None:
    out = tmp_path / "digits.cc"
    data = ("--eval-data", digits / "heldout.npz", "--eval-samples", "200")
    found = checked(kept, digits / "digits.onnx", "tflite-micro", "--out", out, *data)
    assert (found["verdict"], found["how"]) == ("runs", "emulated")
    assert found["nodes"]["fallback"] == 0
    assert 1_000 < found["estimate"]["arena_bytes"] < 20_000
    assert found["numbers"]["argmax_equal"] == 1.0
    assert found["numbers"]["max_error"] < 0.05
    metric = found["numbers"]["metric"]
    assert (metric["name"], metric["samples"]) == ("top1", 200)
    assert metric["model_value"] - metric["value"] <= 0.01
    assert len(metric["lost_samples"]) == metric["lost"] <= 2
    assert found["numbers"]["against"].startswith("ONNX Runtime")
    text = out.read_text()
    size = int(found["estimate"]["flash_bytes"])
    assert f"model_size = {size};" in text
    assert text.count("0x") == size


def test_tflite_is_compared_with_litert(
    kept: Studio, digits: Path, digits_in_8_bits: dict[str, Path]
) -> None:
    install(kept, "litert")
    data = ("--data", digits / "calibration.npz")
    for precision in ("int8-whole", "int8-io"):
        found = checked(kept, digits_in_8_bits[precision], "tflite-micro", *data)
        assert found["numbers"]["against"].startswith("LiteRT")
        assert found["numbers"]["max_error"] < 0.05


def test_floats_at_the_ends_stay_on_the_processor(
    digits_in_8_bits: dict[str, Path], kept: Studio
) -> None:
    found = checked(kept, digits_in_8_bits["int8-whole"], "ethos-u55-128")
    assert found["verdict"] == "partly"
    assert {one["operator"] for one in found["refused"]} == {"Quantize", "Dequantize"}
    assert all(one["reason"] for one in found["refused"])


def test_a_model_in_8_bits_from_end_to_end_is_evaluated_with_float_samples(
    kept: Studio, digits: Path, digits_in_8_bits: dict[str, Path]
) -> None:
    install(kept, "litert")
    found = kept.ok("evaluate", digits_in_8_bits["int8-io"], "--data", digits / "heldout.npz")
    assert found["metric"]["value"] > 0.98


def test_an_operator_that_is_not_there_is_named(kept: Studio, tmp_path: Path) -> None:
    """TFLite Micro has no convolution over three axes."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [1, 2, 4, 4, 4]), ("y", [1, 3, 2, 2, 2]))
    ]
    weights = helper.make_tensor("w", TensorProto.FLOAT, [3, 2, 3, 3, 3], [0.1] * 162)
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "solid", ends[:1], ends[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "solid.onnx")
    for name in ("pytorch", "litert-torch", "ethos-u"):
        install(kept, name)
    made = tmp_path / "solid.tflite"
    kept.ok("convert", tmp_path / "solid.onnx", "--to", "tflite", "--out", made, timeout=_LONG)
    done = kept.run("check", made, "--for", "tflite-micro", "--json")
    assert done.code == 3
    assert (done.json["verdict"], done.json["how"]) == ("refused", "emulated")
    assert "it has no operator CONV_3D" in done.json["reason"]


def test_a_compiler_that_crashes_is_one_sentence(
    kept: Studio, digits_in_8_bits: dict[str, Path], tmp_path: Path
) -> None:
    cut = tmp_path / "cut.tflite"
    cut.write_bytes(digits_in_8_bits["int8-whole"].read_bytes()[:20_000])
    done = kept.run("check", cut, "--for", "ethos-u55-128")
    assert done.code == 1
    assert "is damaged" in done.err
    assert len(done.err.strip().splitlines()) <= 2


@pytest.fixture(scope="module")
def quantized(
    tmp_path_factory: pytest.TempPathFactory, rigs: Path, digits: Path
) -> dict[str, Path]:
    """Digits by preset."""
    studio = Studio(tmp_path_factory.mktemp("presets"))
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    for name in ("tensorrt", "qnn"):
        install(studio, name)
    found = {}
    for preset in PRESETS:
        found[preset] = tmp_path_factory.mktemp(preset) / "digits.onnx"
        words = ("--preset", preset, "--data", digits / "calibration.npz")
        studio.ok("quantize", digits / "digits.onnx", *words, "--out", found[preset])
    return found


def test_tensorrt_builds_an_engine_without_a_gpu(
    kept: Studio, digits: Path, quantized: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "digits.engine"
    for model in (digits / "digits.onnx", quantized["int8-tensorrt"]):
        found = kept.ok("check", model, "--for", "nvidia-a100", "--out", out, "--force")
        assert (found["verdict"], found["how"]) == ("runs", "compiled")
        assert found["nodes"]["fallback"] == 0
        assert out.stat().st_size == found["bytes"] > 100_000


@pytest.mark.parametrize(
    ("preset", "operator", "reason", "remedy"),
    [
        ("int8", "DequantizeLinear", "input has type Int32", "biases in float"),
        ("int8-arm", "DequantizeLinear", "input has type Int32", "biases in float"),
        ("a16w8", "constant", "not one of TensorRT's", "zero point of 16 bits"),
        ("int8-weights", "MatMulNBits", "must be FP16", "operator of ONNX Runtime"),
    ],
)
def test_tensorrt_names_the_node_and_the_remedy(
    kept: Studio, quantized: dict[str, Path], preset: str, operator: str, reason: str, remedy: str
) -> None:
    done = kept.run("check", quantized[preset], "--for", "nvidia-a100", "--json")
    assert done.code == 3
    found = done.json
    assert (found["verdict"], found["nodes"]["on_chip"], found["artefact"]) == ("refused", 0, "")
    node = found["refused"][0]
    assert node["operator"] == operator
    assert reason in node["reason"]
    assert remedy in node["remedy"]
    assert "preset int8-tensorrt" in node["remedy"]


def test_a_chip_without_an_engine_has_the_parsers_verdict(
    kept: Studio, quantized: dict[str, Path]
) -> None:
    found = kept.ok("check", quantized["int8-tensorrt"], "--for", "jetson-orin")
    assert (found["verdict"], found["how"]) == ("runs", "rules")
    assert found["artefact"] == ""
    assert any("builds no engine for the chip" in text for text in found["warnings"])
    assert kept.run("check", quantized["int8"], "--for", "jetson-orin").code == 3


@pytest.mark.parametrize(
    ("chip", "preset"),
    [
        ("snapdragon-8-gen-2", "int8-qnn"),
        ("snapdragon-8-elite", "int8-qnn"),
        ("snapdragon-x-elite", "a16w8-qnn"),
        ("qcs6490", "a16w8-qnn"),
    ],
)
def test_qnn_runs_its_own_presets_wholly_on_the_chip(
    kept: Studio, digits: Path, quantized: dict[str, Path], tmp_path: Path, chip: str, preset: str
) -> None:
    out = tmp_path / "digits_ctx.onnx"
    words = ("--data", digits / "calibration.npz", "--out", out)
    found = kept.ok("check", quantized[preset], "--for", chip, *words)
    assert (found["verdict"], found["how"], found["on_device"]) == ("runs", "emulated", False)
    assert found["nodes"]["fallback"] == 0
    assert found["numbers"]["samples"] == 32
    assert found["numbers"]["argmax_equal"] == 1.0
    assert found["numbers"]["max_error"] < 0.05
    assert out.stat().st_size == found["bytes"] > 50_000
    (node,) = onnx.load(out).graph.node
    assert (node.op_type, node.domain) == ("EPContext", "com.microsoft")
    (text,) = found["warnings"]
    assert 'studio edit MODEL --edit "dimensions batch=1"' in text


def test_each_chip_of_qualcomm_is_the_one_that_the_compiler_names(
    kept: Studio, quantized: dict[str, Path], tmp_path: Path
) -> None:
    """The compiled model has the name of the chip and its architecture in plain text."""
    chips = {
        "snapdragon-8-gen-1": b"soc_type=SM8450;arch=69;",
        "snapdragon-8-gen-2": b"soc_type=SM8550;arch=73;",
        "snapdragon-8-gen-3": b"soc_type=SM8650;arch=75;",
        "snapdragon-8-elite": b"soc_type=SM8750;arch=79;",
        "snapdragon-8-elite-gen-5": b"soc_type=SM8850;arch=81;",
        "snapdragon-x-elite": b"soc_type=SC8380XP;arch=73;",
        "qcs6490": b"arch=68;",
        "qcs8550": b"soc_type=QCS8550;arch=73;",
        "qcs9100": b"soc_type=QCS9100;arch=73;",
    }
    lines = kept.ok("chips", "list")["chips"]
    assert {one["id"] for one in lines if one["compiler"] == "Qualcomm QNN"} == set(chips)
    for chip, text in chips.items():
        out = tmp_path / f"{chip}.onnx"
        kept.ok("check", quantized["a16w8-qnn"], "--for", chip, "--out", out)
        assert text in out.read_bytes(), chip


@pytest.mark.parametrize(
    ("preset", "node", "reason"),
    [
        ("int8", "dense", "no FullyConnected from UFIXED_POINT_8, SFIXED_POINT_8"),
        ("a16w8", "dense", "no FullyConnected from UFIXED_POINT_16, SFIXED_POINT_8"),
        ("int8-tensorrt", "dense.weight_DequantizeLinear", "per-channel quantization"),
        ("int8-weights", "dense", "Unsupported input A rank"),
    ],
)
def test_qnn_names_the_nodes_of_the_processor(
    kept: Studio, quantized: dict[str, Path], preset: str, node: str, reason: str
) -> None:
    found = kept.ok("check", quantized[preset], "--for", "snapdragon-8-gen-2")
    assert (found["verdict"], found["how"]) == ("partly", "emulated")
    refused = {one["node"]: one for one in found["refused"]}
    assert found["nodes"]["fallback"] == len(refused) < found["nodes"]["on_chip"]
    assert reason in refused[node]["reason"]
    assert "preset int8-qnn" in refused[node]["remedy"]
    assert found["bytes"] > 50_000


def test_a_chip_without_floats_refuses_them(kept: Studio, digits: Path) -> None:
    install(kept, "qnn")
    done = kept.run("check", digits / "digits.onnx", "--for", "qcs6490", "--json")
    assert done.code == 3
    found = done.json
    assert (found["verdict"], found["artefact"], found["numbers"]) == ("refused", "", None)
    assert {one["operator"] for one in found["refused"]} >= {"Conv", "Relu", "Gemm"}
    assert all("preset a16w8-qnn" in one["remedy"] for one in found["refused"])
    found = kept.ok("check", digits / "digits.onnx", "--for", "snapdragon-8-gen-2")
    assert found["verdict"] == "runs"
    assert found["numbers"]["max_error"] < 0.01


def one_operator(folder: Path, operator: str, rows: int | None) -> Path:
    """A model of a Relu and one more operator over 3 by 3 numbers."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [rows, 3, 3]), ("y", [rows]))
    ]
    nodes = [helper.make_node("Relu", ["x"], ["r"], "relu")]
    nodes.append(helper.make_node(operator, ["r"], ["y"], "last"))
    graph = helper.make_graph(nodes, "one", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "one.onnx")
    return folder / "one.onnx"


def test_qnn_names_an_operator_that_it_does_not_have(kept: Studio, tmp_path: Path) -> None:
    install(kept, "qnn")
    found = kept.ok("check", one_operator(tmp_path, "Det", 2), "--for", "snapdragon-8-gen-3")
    assert (found["verdict"], found["nodes"]["on_chip"]) == ("partly", 1)
    (refused,) = found["refused"]
    assert refused["node"] == "last"
    assert "`Det` are not supported by QNN" in refused["reason"]


def test_an_open_size_without_a_name_has_the_edit_that_fixes_it(
    kept: Studio, tmp_path: Path
) -> None:
    install(kept, "qnn")
    path = one_operator(tmp_path, "Det", None)
    done = kept.run("check", path, "--for", "snapdragon-8-gen-3", "--input", "x=2,3,3", "--json")
    assert done.code == 3
    assert done.json["reason"] == (
        "QNN refuses the model: the NPU needs fixed sizes, and x has open ones; "
        'studio edit MODEL --edit "dimensions x=2,3,3" fixes them.'
    )
    fixed = tmp_path / "fixed.onnx"
    kept.ok("edit", path, "--edit", "dimensions x=2,3,3", "--out", fixed)
    assert kept.ok("check", fixed, "--for", "snapdragon-8-gen-3")["verdict"] == "partly"


def test_two_sizes_of_one_name_are_one_sentence(kept: Studio, tmp_path: Path) -> None:
    install(kept, "qnn")
    ends = [helper.make_tensor_value_info(one, TensorProto.FLOAT, ["n", 3]) for one in "xzy"]
    node = helper.make_node("Add", ["x", "z"], ["y"], "add")
    graph = helper.make_graph([node], "sum", ends[:2], ends[2:])
    onnx.save(helper.make_model(graph, ir_version=8), tmp_path / "sum.onnx")
    words = ("--for", "qcs8550", "--input", "x=1,3", "--input", "z=2,3")
    done = kept.run("check", tmp_path / "sum.onnx", *words)
    assert done.code in (1, 2, 3)
    assert "z has open ones" in done.out + done.err
