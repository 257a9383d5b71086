"""Chips that are judged by published rules, behind the real converters of their formats."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

_LONG = 1800
IMAGE = ("--input", "image=1,1,8,8")
APPLE = ("apple-neural-engine", "apple-neural-engine-m1")


def one_operator(folder: Path, operator: str, sizes: list[int], **attributes: int) -> Path:
    """A model of a Relu and one more operator."""
    kinds = [("x", TensorProto.FLOAT, sizes), ("y", TensorProto.FLOAT, None)]
    ends = [helper.make_tensor_value_info(*kind) for kind in kinds]
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], "relu"),
        helper.make_node(operator, ["r"], ["y"], "last", **attributes),
    ]
    graph = helper.make_graph(nodes, "one", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(onnx.shape_inference.infer_shapes(model), folder / "one.onnx")
    return folder / "one.onnx"


@pytest.mark.parametrize("chip", ["intel-npu", "intel-gpu", "intel-n100"])
def test_an_ir_runs_wholly_by_the_lists_of_openvino(kept: Studio, digits: Path, chip: str) -> None:
    install(kept, "openvino")
    words = ("--for", chip, *IMAGE)
    found = kept.ok("check", digits / "digits.onnx", *words, timeout=_LONG)
    assert (found["verdict"], found["how"], found["on_device"]) == ("runs", "rules", False)
    assert (found["format"], found["precision"], found["numbers"]) == ("openvino", "fp16", None)
    assert found["nodes"]["fallback"] == 0
    assert found["nodes"]["total"] >= 8
    assert any("no device" in text for text in found["warnings"])
    assert any("Outputs not compared" in text for text in found["warnings"])


def test_open_sizes_are_refused_by_the_npu_and_taken_by_the_gpu(kept: Studio, digits: Path) -> None:
    install(kept, "openvino")
    model = digits / "digits.onnx"
    done = kept.run("check", model, "--for", "intel-npu", "--json", timeout=_LONG)
    assert done.code == 3
    assert done.json["verdict"] == "refused"
    assert "--input image=1,1,8,8" in done.json["reason"]
    found = kept.ok("check", model, "--for", "intel-gpu", timeout=_LONG)
    assert found["verdict"] == "runs"
    assert any("supports in part" in text for text in found["warnings"])


def test_an_operator_outside_the_list_stays_on_the_processor(kept: Studio, tmp_path: Path) -> None:
    """IsInf is in the list for the GPU alone; OpenVINO writes it as such a layer."""
    install(kept, "openvino")
    path = tmp_path / "one.onnx"
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 3]),
        helper.make_tensor_value_info("y", TensorProto.BOOL, [2, 3]),
    ]
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], "relu"),
        helper.make_node("IsInf", ["r"], ["y"], "last"),
    ]
    graph = helper.make_graph(nodes, "one", ends[:1], ends[1:])
    sets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=sets, ir_version=8), path)
    found = kept.ok("check", path, "--for", "intel-npu", timeout=_LONG)
    assert (found["verdict"], found["nodes"]["on_chip"]) == ("partly", 1)
    (refused,) = found["refused"]
    assert refused["reason"] == "The list for Intel's NPU has no IsInf."
    assert any("HETERO:NPU,CPU" in text for text in found["warnings"])
    assert kept.ok("check", path, "--for", "intel-gpu", timeout=_LONG)["verdict"] == "runs"


def test_a_quantized_model_runs_wholly_on_intels_npu(
    kept: Studio, digits: Path, tmp_path: Path
) -> None:
    """The preset that the catalogue names; activations of 16 bits are refused."""
    install(kept, "openvino")
    presets = {one["id"]: one["preset"] for one in kept.ok("chips", "list")["chips"]}
    found = {}
    for preset in (presets["intel-npu"], "a16w8"):
        made = tmp_path / f"{preset}.onnx"
        kept.ok("quantize", digits / "digits.onnx", "--preset", preset, "--out", made)
        found[preset] = kept.ok("check", made, "--for", "intel-npu", *IMAGE, timeout=_LONG)
    assert found["int8"]["verdict"] == "runs"
    assert found["a16w8"]["verdict"] == "partly"
    reasons = {one["reason"] for one in found["a16w8"]["refused"]}
    assert any("65,536 levels" in reason for reason in reasons)
    assert {one["preset"] for one in found["a16w8"]["refused"]} == {"int8"}


@pytest.mark.parametrize("chip", APPLE)
def test_a_core_ml_program_runs_wholly_by_the_rules_of_the_engine(
    kept: Studio, digits: Path, chip: str
) -> None:
    for name in ("pytorch", "coreml"):
        install(kept, name)
    found = kept.ok("check", digits / "digits.onnx", "--for", chip, *IMAGE, timeout=_LONG)
    assert (found["verdict"], found["how"], found["on_device"]) == ("runs", "rules", False)
    assert (found["format"], found["precision"], found["numbers"]) == ("coreml", "fp16", None)
    assert found["nodes"]["fallback"] == 0
    assert found["nodes"]["total"] >= 6
    assert any("Core ML decides on the device" in text for text in found["warnings"])


@pytest.mark.parametrize(
    ("operator", "sizes", "reason"),
    [
        ("Sin", [1, 3, 8, 8], "The list for Neural Engines of A14 has no sin."),
        ("Sigmoid", [1, 1, 1, 20_000], "has an axis of more than 16,384."),
    ],
)
def test_what_the_engine_lacks_stays_on_the_processor(
    kept: Studio, tmp_path: Path, operator: str, sizes: list[int], reason: str
) -> None:
    for name in ("pytorch", "coreml"):
        install(kept, name)
    path = one_operator(tmp_path, operator, sizes)
    done = kept.run("check", path, "--for", "apple-neural-engine", "--json", timeout=_LONG)
    reasons = [one["reason"] for one in done.json["refused"]]
    assert any(text.endswith(reason) for text in [*reasons, done.json["reason"]]), done.json


def test_amds_table_judges_quantized_models_alone(
    kept: Studio, digits: Path, tmp_path: Path
) -> None:
    done = kept.run("check", digits / "digits.onnx", "--for", "amd-ryzen-ai")
    assert done.code != 0
    assert "lacks Relu and Softmax" in done.err
    found = {}
    for preset in ("int8", "int8-tensorrt"):
        made = tmp_path / f"{preset}.onnx"
        kept.ok("quantize", digits / "digits.onnx", "--preset", preset, "--out", made)
        found[preset] = kept.ok("check", made, "--for", "amd-ryzen-ai", timeout=_LONG)
    assert (found["int8-tensorrt"]["verdict"], found["int8"]["verdict"]) == ("runs", "partly")
    assert {one["preset"] for one in found["int8"]["refused"]} == {"int8-tensorrt"}
