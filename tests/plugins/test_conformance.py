"""The built-in plugins pass the suites that ship for the authors of plugins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Extension, TargetSpec, TensorType, Value
from studio.api.testing import (
    check_backend,
    check_connector,
    check_format,
    check_metric,
    check_transform,
)
from studio.datasets import open_dataset
from studio.plugin_host import PluginHost, PluginState
from studio.settings import resource

DIGITS = resource("samples", "digits")
MODEL = DIGITS / "digits.onnx"


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost.discover()


def test_every_built_in_plugin_is_available(host: PluginHost) -> None:
    reasons = {p.id: p.reason for p in host.plugins if p.state is not PluginState.AVAILABLE}
    assert not reasons


def test_onnx_format(host: PluginHost, tmp_path: Path) -> None:
    model = check_format(host.get(Extension.FORMAT, "onnx"), tmp_path, MODEL)
    assert [value.name for value in model.graph.inputs] == ["image"]


def test_onnxruntime_backend(host: PluginHost) -> None:
    feeds: dict[str, Any] = {"image": numpy.zeros((2, 1, 8, 8), numpy.float32)}
    outputs = check_backend(host.get(Extension.BACKEND, "onnxruntime"), MODEL, feeds)
    assert [array.shape for array in outputs.values()] == [(2, 10)]


@pytest.mark.parametrize("name", ["static-int8", "dynamic-int8", "weight-only", "fp16", "bf16"])
def test_onnxruntime_transforms(host: PluginHost, name: str, tmp_path: Path) -> None:
    inputs = [Value("image", TensorType("float32", (None, 1, 8, 8)))]
    data = open_dataset(DIGITS / "calibration.npz", inputs, 16)
    check_transform(host.get(Extension.TRANSFORM, name), MODEL, tmp_path / "out.onnx", data)


def test_top1(host: PluginHost) -> None:
    outputs = [{"logits": numpy.eye(3, dtype=numpy.float32)[[k]]} for k in (0, 1, 2, 2)]
    score = check_metric(host.get(Extension.METRIC, "top1"), outputs, [0, 1, 2, 0])
    assert score == 0.75


def test_this_computer(host: PluginHost, tmp_path: Path) -> None:
    check_connector(host.get(Extension.TARGET, "local"), TargetSpec("local", "local:"), tmp_path)
