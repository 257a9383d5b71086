"""Models compiled for Rockchip's NPUs by its own toolkit, and run in its simulator."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

CHIPS = ("rk3562", "rk3566", "rk3568", "rk3576", "rk3588", "rv1103", "rv1106", "rv1126b")
IN_INTEGERS = ("rv1103", "rv1106")
_LONG = 900


@pytest.fixture(scope="module")
def in_8_bits(
    tmp_path_factory: pytest.TempPathFactory, rigs: Path, digits: Path
) -> dict[str, Path]:
    """Digits by preset."""
    studio = Studio(tmp_path_factory.mktemp("rockchip"))
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    install(studio, "rknn")
    folder = tmp_path_factory.mktemp("presets")
    for preset in ("int8", "int8-npu"):
        words = ("--preset", preset, "--out", folder / f"{preset}.onnx")
        studio.ok("quantize", digits / "digits.onnx", *words, timeout=_LONG)
    return {path.stem: path for path in folder.glob("*.onnx")}


def two_nodes(folder: Path, operator: str, rows: int | None) -> Path:
    """A model of a Relu and one more operator over 3 by 3 numbers."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [rows, 3, 3]), ("y", [rows]))
    ]
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], "relu"),
        helper.make_node(operator, ["r"], ["y"], "last"),
    ]
    graph = helper.make_graph(nodes, "two", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "two.onnx")
    return folder / "two.onnx"


@pytest.mark.parametrize("chip", CHIPS)
def test_its_preset_runs_in_8_bits_on_each_chip(
    kept: Studio, in_8_bits: dict[str, Path], digits: Path, tmp_path: Path, chip: str
) -> None:
    out = tmp_path / "digits.rknn"
    words = ("--data", digits / "calibration.npz", "--out", out)
    found = kept.ok("check", in_8_bits["int8-npu"], "--for", chip, *words)
    assert (found["verdict"], found["how"], found["on_device"]) == ("runs", "simulated", False)
    assert found["nodes"]["fallback"] == 0
    assert found["numbers"]["samples"] == 32
    assert found["numbers"]["argmax_equal"] == 1.0
    assert found["numbers"]["max_error"] < 0.05
    assert found["estimate"]["npu_cycles"] > 0
    assert found["estimate"]["dram_bytes"] > 0
    assert out.read_bytes()[:4] == b"RKNN"
    assert out.stat().st_size == found["bytes"]
    assert not any("float16" in text for text in found["warnings"])
    assert found["edits"] == ["dimensions batch=1"]


def test_all_chips_of_the_catalogue_are_those(kept: Studio, in_8_bits: dict[str, Path]) -> None:
    lines = kept.ok("chips", "list")["chips"]
    listed = {one["id"]: one["preset"] for one in lines if one["compiler"] == "RKNN-Toolkit2"}
    assert listed == {chip: "int8-npu" if chip in IN_INTEGERS else "int8" for chip in sorted(CHIPS)}


def test_a_float_model_runs_in_float16_where_the_chip_has_it(
    kept: Studio, in_8_bits: dict[str, Path], digits: Path
) -> None:
    for chip in CHIPS:
        done = kept.run("check", digits / "digits.onnx", "--for", chip, "--json")
        if chip in IN_INTEGERS:
            assert done.code == 3
            assert "the model is in float" in done.json["reason"]
            assert "preset int8-npu" in done.json["reason"]
        else:
            assert done.json["verdict"] == "runs"
            assert done.json["numbers"]["max_error"] < 0.01


def test_layers_of_another_preset_that_stay_in_float_are_named(
    kept: Studio, in_8_bits: dict[str, Path]
) -> None:
    found = kept.ok("check", in_8_bits["int8"], "--for", "rk3588")
    assert found["verdict"] == "runs"
    (text,) = [one for one in found["warnings"] if "float16" in one]
    assert text == (
        "The chip computes these nodes in float16: dense. The preset int8-npu leaves fewer, and "
        "costs some models more."
    )


def test_an_operator_for_the_processor_is_named(
    kept: Studio, in_8_bits: dict[str, Path], tmp_path: Path
) -> None:
    found = kept.ok("check", two_nodes(tmp_path, "Det", 2), "--for", "rk3588")
    assert (found["verdict"], found["nodes"]["on_chip"]) == ("partly", 1)
    (refused,) = found["refused"]
    assert (refused["node"], refused["operator"]) == ("last", "Det")
    assert found["numbers"]["max_error"] < 0.05


def test_open_sizes_are_fixed_and_said(
    kept: Studio, in_8_bits: dict[str, Path], tmp_path: Path
) -> None:
    path = two_nodes(tmp_path, "Det", None)
    found = kept.ok("check", path, "--for", "rk3588", "--input", "x=2,3,3")
    assert found["edits"] == ["dimensions x=2,3,3"]
    assert any('--edit "dimensions x=2,3,3"' in text for text in found["warnings"])


def test_an_operator_that_the_toolkit_does_not_know_is_one_sentence(
    kept: Studio, in_8_bits: dict[str, Path], tmp_path: Path
) -> None:
    path = two_nodes(tmp_path, "Det", 2)
    model = onnx.load(path)
    model.graph.node[1].domain = "org.example"
    model.graph.node[1].op_type = "Mystery"
    model.opset_import.append(helper.make_opsetid("org.example", 1))
    onnx.save(model, path)
    done = kept.run("check", path, "--for", "rk3588", "--json")
    assert done.code == 3
    assert done.json["verdict"] == "refused"
    assert "Mystery" in done.json["reason"]
    assert "Traceback" not in done.out + done.err
