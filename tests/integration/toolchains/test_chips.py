"""Models checked for chips by the vendors' own compilers and interpreters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

_LONG = 1800


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
    for precision in ("fp32", "int8-whole"):
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
    assert (found["verdict"], found["how"], found["on_device"]) == ("partly", "compiled", False)
    assert found["nodes"]["on_chip"] >= 4
    assert {one["operator"] for one in found["refused"]} == {"Quantize", "Dequantize"}
    assert all(one["reason"] for one in found["refused"])
    assert 0 < found["estimate"]["latency_ms"] < 1
    assert found["estimate"]["sram_bytes"] < 64 * 1024
    assert out.stat().st_size == found["bytes"]
    assert out.read_bytes()[4:8] == b"TFL3"
    assert found["numbers"] is None
    assert any("Outputs not compared" in text for text in found["warnings"])


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
    found = checked(kept, digits / "digits.onnx", "tflite-micro", "--out", out)
    assert (found["verdict"], found["how"]) == ("runs", "emulated")
    assert found["nodes"]["fallback"] == 0
    assert 1_000 < found["estimate"]["arena_bytes"] < 20_000
    assert found["numbers"]["argmax_equal"] == 1.0
    assert found["numbers"]["max_error"] < 0.05
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
    found = checked(kept, digits_in_8_bits["int8-whole"], "tflite-micro", *data)
    assert found["numbers"]["against"].startswith("LiteRT")
    assert found["numbers"]["max_error"] < 0.05


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
    install(studio, "tensorrt")
    found = {}
    for preset in ("int8", "int8-arm", "a16w8", "int8-weights", "int8-tensorrt"):
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
