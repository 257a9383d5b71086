"""The tuner: what each layer costs alone, and variants with chosen layers in float."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from studio.api import Silent
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.static_int8 import StaticInt8
from studio_onnxruntime.tuning import COMPARED, Int8Tuner

from . import models
from .test_studio_onnxruntime import Noise, sqnr


@pytest.fixture
def tuner(tmp_path: Path) -> Int8Tuner:
    folder = tmp_path / "tuner"
    folder.mkdir()
    model = models.attention(tmp_path / "attention.onnx")
    return StaticInt8().tuner(model, folder, {}, Noise(), Silent())


def test_each_layer_has_a_cost(tuner: Int8Tuner) -> None:
    costs = tuner.costs(Silent())
    assert set(costs) == set(tuner.layers)
    assert all(5 < cost.sqnr_db < 100 for cost in costs.values())
    assert all(cost.float_us > 0 and cost.int8_us > 0 for cost in costs.values())


def test_the_cost_is_the_error_of_the_model_with_that_layer_alone(
    tuner: Int8Tuner, tmp_path: Path
) -> None:
    costs = tuner.costs(Silent())
    for name in tuner.layers:
        others = [layer for layer in tuner.layers if layer != name]
        made = tuner.write(tmp_path / "one.onnx", others)
        assert made.facts["quantized"] == 1
        each = [
            sqnr(tmp_path / "attention.onnx", made.path, [sample])
            for sample in list(Noise())[:: len(Noise()) // COMPARED]
        ]
        assert costs[name].sqnr_db == pytest.approx(sum(each) / len(each), abs=0.5)


def test_kept_layers_are_float_and_the_rest_is_not(tuner: Int8Tuner, tmp_path: Path) -> None:
    whole = tuner.write(tmp_path / "whole.onnx")
    part = tuner.write(tmp_path / "part.onnx", tuner.layers[:1])
    assert part.facts["quantized"] == whole.facts["quantized"] - 1
    assert part.facts["kept"][tuner.layers[0]] == "chosen by the search"
    layer = next(n for n in onnx.load(str(part.path)).graph.node if n.name == tuner.layers[0])
    constants = {t.name for t in onnx.load(str(part.path)).graph.initializer}
    assert layer.input[1] in constants
    OnnxRuntime().load(part.path, {}).close()
