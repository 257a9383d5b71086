"""Layers that make most of the error stay in float, as long as they are few and small."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import pytest
from onnx import helper

from studio.api import Silent
from studio_onnxruntime.static_int8 import StaticInt8
from studio_onnxruntime.tuning import outliers

from . import models
from .test_studio_onnxruntime import Noise, sqnr

EVEN = {f"l{k}": 1e-6 for k in range(20)}
SIZES = dict.fromkeys(EVEN, 100)


def test_even_noise_has_none() -> None:
    assert outliers(EVEN, SIZES) == []


def test_what_sticks_out_is_found_one_after_the_other() -> None:
    noises = {**EVEN, "l3": 1e-3, "l7": 1e-4}
    assert outliers(noises, SIZES) == ["l3", "l7"]


def test_they_are_few() -> None:
    noises = {**EVEN, "l3": 1e-2, "l7": 1e-3, "l9": 1e-4}
    assert outliers(noises, SIZES) == ["l3", "l7"]
    assert outliers({"a": 1.0, "b": 0.0}, {"a": 1, "b": 1}) == []


def test_a_large_layer_is_not_kept_for_its_noise() -> None:
    noises = {**EVEN, "l3": 1e-3, "l7": 1e-4}
    assert outliers(noises, {**SIZES, "l3": 5000}) == ["l7"]


@pytest.fixture
def lopsided(tmp_path: Path) -> Path:
    """Twenty-one convolutions, of which the second reads channels of very different sizes."""
    random = numpy.random.default_rng(0)
    constants = {
        f"w{k}": (random.normal(size=(8, 3 if k == 0 else 8, 1, 1)) / 3).astype("float32")
        for k in range(21)
    }
    sizes = numpy.geomspace(1, 3000, 8).astype("float32").reshape(8, 1, 1, 1)
    constants["w0"] *= sizes
    constants["w1"] /= sizes.reshape(1, 8, 1, 1)
    nodes, last = [], "x"
    for k in range(21):
        output = "y" if k == 20 else f"c{k}"
        nodes.append(helper.make_node("Conv", [last, f"w{k}"], [output], f"conv{k}"))
        last = output
    shapes = {"x": [1, 3, 8, 8]}, {"y": [1, 8, 8, 8]}
    return models.save(tmp_path / "m.onnx", nodes, *shapes, constants)


@pytest.mark.slow
def test_the_layer_that_spoils_a_model_stays_in_float(lopsided: Path) -> None:
    output = lopsided.with_name("out.onnx")
    made = StaticInt8().apply(lopsided, output, {}, Noise(), Silent())
    names = [n for n, why in made.facts["kept"].items() if why == "makes most of the error"]
    assert set(names) == {"conv0", "conv1"}
    with_it = sqnr(lopsided, made.path, Noise())
    plain = StaticInt8().apply(lopsided, output, {"float_outliers": False}, Noise(), Silent())
    assert with_it > sqnr(lopsided, plain.path, Noise()) + 3
    onnx.checker.check_model(str(output))
