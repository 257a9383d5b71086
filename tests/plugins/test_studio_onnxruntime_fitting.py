"""Ranges behind an activation, clipped weights and corrected biases: each loses less."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import pytest
from onnx import helper

from studio.api import Sample, Silent
from studio_onnxruntime.activations import Function, following, identity
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.bias_correction import bias_errors, correct_biases, rounded_weight
from studio_onnxruntime.histogram import Histogram
from studio_onnxruntime.range_selection import clipped_weight, fitted_even_range, fitted_range

from . import models


def histogram(values: numpy.ndarray) -> Histogram:
    made = Histogram()
    for part in numpy.array_split(values.astype("float32"), 4):
        made.add(part)
    return made


def loss(values: numpy.ndarray, ends: tuple[float, float], function: Function) -> float:
    """Squared error of 8 bits between two ends, computed as the runtime does."""
    step = (ends[1] - ends[0]) / 255
    zero = round(-ends[0] / step)
    level = numpy.clip(numpy.round(values / step) + zero, 0, 255)
    return float(((function((level - zero) * step) - function(values)) ** 2).mean())


def functions_of(*nodes: onnx.NodeProto) -> dict[str, Function]:
    return dict(following(helper.make_graph(list(nodes), "g", [], [])))


GATED = (
    helper.make_node("HardSigmoid", ["a"], ["g"], alpha=1 / 6, beta=0.5),
    helper.make_node("Mul", ["a", "g"], ["y"]),
)


@pytest.mark.parametrize(
    ("nodes", "points"),
    [
        ([helper.make_node("Relu", ["a"], ["y"])], [0, 0, 2]),
        ([helper.make_node("HardSwish", ["a"], ["y"])], [0, -0.375, 2 * 5 / 6]),
        (GATED, [0, -0.375, 2 * 5 / 6]),
        ([helper.make_node("LeakyRelu", ["a"], ["y"], alpha=0.5)], [-2, -0.75, 2]),
    ],
)
def test_the_function_behind_a_value(nodes: list[onnx.NodeProto], points: list[float]) -> None:
    found = functions_of(*nodes)["a"](numpy.array([-4, -1.5, 2.0]))
    assert found == pytest.approx(points)


def test_a_value_that_another_node_reads_has_none() -> None:
    other = helper.make_node("Exp", ["a"], ["z"])
    assert "a" not in functions_of(*GATED, other)
    assert "a" not in functions_of(helper.make_node("Relu", ["a"], ["y"]), other)


def test_what_an_activation_takes_away_gets_no_levels() -> None:
    values = numpy.random.default_rng(0).normal(-3, 4, 50_000)
    found = functions_of(*GATED)["a"]
    plain, aware = fitted_range(histogram(values)), fitted_range(histogram(values), found)
    assert plain[0] < -8
    assert -4 < aware[0] <= 0
    assert loss(values, aware, found) < 0.5 * loss(values, plain, found)


def test_fitted_is_better_than_the_extremes_with_outliers() -> None:
    values = numpy.random.default_rng(0).normal(size=100_000)
    values[:2] = 20, -20
    counted = histogram(values)
    fitted, whole = fitted_range(counted), counted.extremes()
    assert loss(values, fitted, identity) < 0.85 * loss(values, whole, identity)


def test_an_even_range_ends_where_its_levels_lose_least() -> None:
    values = numpy.random.default_rng(0).normal(size=100_000)
    values[:2] = 20, -20
    low, high = fitted_even_range(histogram(values))
    assert low == -high
    assert 3 < high < 19
    assert fitted_even_range(histogram(numpy.zeros(100))) == (0, 0)
    assert fitted_even_range(Histogram()) == (0, 0)


@pytest.mark.parametrize("value", [0.0, 3.0, -2.0])
def test_a_constant_value_is_exact(value: float) -> None:
    low, high = fitted_range(histogram(numpy.full(100, value)))
    assert low <= min(value, 0) + 1e-6
    assert high >= max(value, 0) - 1e-6


def test_nothing_seen() -> None:
    assert fitted_range(Histogram()) == (0, 0)


def test_clipped_weights_lose_less_in_each_channel() -> None:
    weight = numpy.random.default_rng(0).normal(size=(6, 64, 3, 3)).astype("float32")
    clipped = rounded_weight(clipped_weight(weight, 0, 15), 15)
    plain = rounded_weight(weight, 15)

    def errors(found: numpy.ndarray) -> numpy.ndarray:
        lost: numpy.ndarray = ((found - weight) ** 2).sum(axis=(1, 2, 3))
        return lost

    assert (errors(clipped) <= errors(plain) * (1 + 1e-6)).all()
    assert errors(clipped).sum() < 0.9 * errors(plain).sum()


def test_a_channel_of_zeros_stays() -> None:
    assert not clipped_weight(numpy.zeros((2, 3, 1, 1), "float32"), 0).any()


class Positive:
    """Pictures that are never negative, whose mean error therefore does not cancel."""

    def __len__(self) -> int:
        return 8

    def __iter__(self):  # type: ignore[no-untyped-def]
        random = numpy.random.default_rng(1)
        for _ in range(8):
            yield Sample({"x": random.exponential(size=(1, 3, 8, 8)).astype("float32")})


def test_biases_take_the_mean_error_in(tmp_path: Path) -> None:
    weight = numpy.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype("float32")
    node = helper.make_node("Conv", ["x", "w"], ["y"], "conv")
    path = models.save(
        tmp_path / "m.onnx", [node], {"x": [1, 3, 8, 8]}, {"y": [1, 4, 6, 6]}, {"w": weight}
    )
    model = onnx.load(str(path))
    ranges = {"x": (0.0, 2.0)}  # too small: a large error that is always to one side
    errors = bias_errors(path, model, {"conv"}, ranges, Positive(), Silent(), 127)
    correct_biases(model, errors)
    onnx.save(model, str(tmp_path / "corrected.onnx"))
    bias = next(t for t in model.graph.initializer if t.name == model.graph.node[0].input[2])
    added = onnx.numpy_helper.to_array(bias)
    step = numpy.float32(2 / 255)
    missing = numpy.zeros(4)
    for sample in Positive():
        x = sample.feeds["x"]
        rounded = numpy.round(x.clip(0, 2) / step) * step
        exact = _run(path, x)
        missing += (exact - _run(path, rounded)).mean(axis=(0, 2, 3)) / 8
    assert numpy.abs(missing).max() > 0.1
    assert added == pytest.approx(missing, rel=0.1, abs=0.02)


def _run(path: Path, x: numpy.ndarray) -> numpy.ndarray:
    (array,) = OnnxRuntime().load(path, {}).run({"x": x}).values()
    return array
