"""What tools of toolchains do and say about models that their libraries do not take."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy
import onnx
import pytest
from onnx import helper

from studio_rockchip import tool as rknn_tool

from . import models

NCNN = Path(__file__).parents[2] / "plugins" / "studio_ncnn" / "runner.py"


def padded(path: Path, opset: int = 17) -> Path:
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["p"], "padding"),
        helper.make_node("MaxPool", ["p"], ["y"], "pool", kernel_shape=[3, 3]),
    ]
    pads = numpy.array([0, 0, 0, 0, 0, 0, 1, 1])
    shapes = {"x": [1, 3, 8, 8]}, {"y": [1, 3, 7, 7]}
    return models.save(path, nodes, *shapes, {"pads": pads}, opset=opset)


@pytest.fixture
def ncnn_runner(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The runner beside an ncnn that has no layer Pad, as the real one."""
    fake = SimpleNamespace(create_layer=lambda kind: None if kind == "Pad" else object())
    monkeypatch.setitem(sys.modules, "ncnn", fake)
    spec = importlib.util.spec_from_file_location("ncnn_runner", NCNN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_layer_that_ncnn_lacks_is_named_as_in_the_model(
    ncnn_runner: ModuleType, tmp_path: Path
) -> None:
    net = tmp_path / "m.param"
    net.write_text(
        "7767517\n3 3\nInput in0 0 1 in0\nPad Pad_1 1 1 in0 2\nPooling p 1 1 2 out0 0=0\n"
    )
    model = padded(tmp_path / "m.onnx")
    text = ncnn_runner._unreadable(str(net), str(model))
    assert text.startswith("the converter pnnx cannot translate Pad 'padding'")
    net.write_text("7767517\n1 1\nInput in0 0 1 in0\n")
    assert "lack" not in ncnn_runner._unreadable(str(net), str(model))


@pytest.mark.parametrize(("opset", "given"), [(19, 19), (20, 19), (21, 19)])
def test_the_rockchip_compiler_gets_an_operator_set_that_it_reads(
    tmp_path: Path, opset: int, given: int
) -> None:
    source = padded(tmp_path / "m.onnx", opset)
    path, warnings = rknn_tool._with_known_operators(str(source), onnx.load(str(source)))
    assert onnx.load(path).opset_import[0].version == given
    assert [f"operator set 19 instead of {opset}" in text for text in warnings] == [True] * (
        opset > given
    )
