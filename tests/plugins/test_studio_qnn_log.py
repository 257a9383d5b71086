"""Logs of QNN's provider (onnxruntime-qnn 2.7.0), recorded from the digits sample and shortened."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

TOOL = Path(__file__).parents[2] / "plugins" / "studio_qnn" / "tool_log.py"
LOGS = Path(__file__).parent / "data" / "qnn"


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Any:
    about = importlib.util.spec_from_file_location("qnn_log", TOOL)
    assert about is not None
    assert about.loader is not None
    made = importlib.util.module_from_spec(about)
    monkeypatch.setitem(sys.modules, about.name, made)
    about.loader.exec_module(made)
    return made


def log(name: str) -> str:
    return (LOGS / f"{name}.log").read_text()


def refused(rows: list[Any]) -> dict[str, Any]:
    return {row.name: row for row in rows if not row.on_chip}


def test_a_layer_that_ends_in_float_is_left_with_its_constants(reader: Any) -> None:
    rows = reader.nodes(log("int8-v73"))
    found = refused(rows)
    assert len(rows) == len({row.name for row in rows}) == 23
    assert {row.operator for row in found.values()} == {"Gemm", "DequantizeLinear"}
    assert set(found) == {
        "dense",
        "features_DequantizeLinear",
        "dense.weight_DequantizeLinear",
        "dense.bias_DequantizeLinear",
    }
    assert found["dense"].reason == (
        "the NPU has no FullyConnected from UFIXED_POINT_8, SFIXED_POINT_8, SFIXED_POINT_32 to "
        "FLOAT_32 (error 3110)"
    )
    assert "preset int8-qnn" in found["dense"].remedy
    assert {row.preset for row in found.values()} == {"int8-qnn"}
    assert [row.name for row in found.values() if row.keep_float] == ["dense"]
    assert not any(row.reason or row.remedy for row in rows if row.on_chip)
    assert not any("_token_" in row.name for row in rows), "names of another layout"


def test_a_reason_of_the_provider_is_kept_in_its_words(reader: Any) -> None:
    (found,) = refused(reader.nodes(log("tensorrt-v73"))).values()
    assert (found.name, found.operator) == (
        "dense.weight_DequantizeLinear",
        "DequantizeLinear",
    )
    assert "standalone DQ op with per-channel quantization" in found.reason
    assert "preset int8-qnn" in found.remedy


def test_a_model_that_is_not_built_has_its_refused_nodes(reader: Any) -> None:
    """The log ends before the runtime places the nodes."""
    found = refused(reader.nodes(log("float-v68"), floats=False))
    assert set(found) == {"conv1", "relu1", "conv2", "relu2", "pool", "dense"}
    assert all("from FLOAT_32 to FLOAT_32" in row.reason for row in found.values())
    assert all("preset a16w8-qnn" in row.remedy for row in found.values())
    assert {(row.preset, row.keep_float) for row in found.values()} == {("a16w8-qnn", False)}


def test_a_preset_that_was_used_is_no_remedy(reader: Any) -> None:
    wide = log("float-v68") + " name=x dataType=QNN_DATATYPE_UFIXED_POINT_16 rank=4\n"
    found = refused(reader.nodes(wide, floats=False))
    assert "dense" in found
    assert {(row.remedy, row.preset) for row in found.values()} == {("", "")}


def test_floats_are_no_fault_of_a_chip_that_has_them(reader: Any) -> None:
    found = refused(reader.nodes(log("float-v68")))
    assert all(row.remedy == "" for row in found.values())


@pytest.mark.parametrize("cut", [0, 200, 5_000, 20_000])
def test_a_log_that_breaks_off_is_read_as_far_as_it_goes(reader: Any, cut: int) -> None:
    whole = {row.name for row in reader.nodes(log("int8-v73"))}
    assert {row.name for row in reader.nodes(log("int8-v73")[:cut])} <= whole


def test_a_log_without_any_group_has_no_nodes(reader: Any) -> None:
    assert reader.nodes("no such file\n") == []
