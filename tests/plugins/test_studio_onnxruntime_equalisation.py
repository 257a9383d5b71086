"""Equalisation: the same float outputs, channels of like size."""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
import pytest
from onnx import NodeProto, helper, numpy_helper

from studio.api import Silent
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.rewriting import equalise
from studio_onnxruntime.static_int8 import StaticInt8

from . import models
from .test_studio_onnxruntime import Noise, sqnr

SIZES = numpy.geomspace(0.01, 100, 8).astype("float32")
RANDOM = numpy.random.default_rng(2)
CONSTANTS = {
    "w": RANDOM.normal(size=(8, 3, 3, 3)).astype("float32") * SIZES.reshape(-1, 1, 1, 1),
    "b": RANDOM.normal(size=8).astype("float32") * SIZES,
    "p": RANDOM.normal(size=(4, 8, 1, 1)).astype("float32") / SIZES.reshape(1, -1, 1, 1),
    "d": RANDOM.normal(size=(8, 1, 3, 3)).astype("float32") / SIZES.reshape(-1, 1, 1, 1),
    "slope": RANDOM.uniform(0, 1, size=(8, 1, 1)).astype("float32"),
}
FIRST = helper.make_node("Conv", ["x", "w", "b"], ["a"], "first")
BETWEEN = {
    "relu": [helper.make_node("Relu", ["a"], ["r"], "relu")],
    "leaky": [helper.make_node("LeakyRelu", ["a"], ["r"], "leaky")],
    "slopes": [helper.make_node("PRelu", ["a", "slope"], ["r"], "slopes")],
    "pooled": [
        helper.make_node("Relu", ["a"], ["m"], "relu"),
        helper.make_node("MaxPool", ["m"], ["r"], "pool", kernel_shape=[2, 2]),
    ],
}


def made(folder: Path, *nodes: NodeProto, outputs: int = 4) -> Path:
    shapes = {"x": ["n", 3, 8, 8]}, {"y": ["n", outputs, "h", "w"]}
    return models.save(folder / "m.onnx", nodes, *shapes, CONSTANTS)


def run(path: Path) -> numpy.ndarray:
    x = numpy.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype("float32")
    (array,) = OnnxRuntime().load(path, {}).run({"x": x}).values()
    return array


def balanced(path: Path) -> tuple[int, onnx.ModelProto]:
    before, model = run(path), onnx.load(str(path))
    count = equalise(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    assert numpy.abs(run(path) - before).max() <= 2e-6 * numpy.abs(before).max()
    return count, model


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize(("second", "group", "outputs"), [("p", 1, 4), ("d", 8, 8)])
def test_channels_become_alike_and_the_outputs_stay(
    tmp_path: Path, between: str, second: str, group: int, outputs: int
) -> None:
    last = helper.make_node("Conv", ["r", second], ["y"], "second", group=group)
    count, model = balanced(made(tmp_path, FIRST, *BETWEEN[between], last, outputs=outputs))
    assert count == 1
    weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    first = next(node for node in model.graph.node if node.name == "first")
    sizes = numpy.abs(weights[first.input[1]]).reshape(8, -1).max(axis=1)
    assert sizes.max() / sizes.min() < 8  # of 10,000 before


@pytest.mark.parametrize("operator", ["HardSwish", "Sigmoid", "Tanh"])
def test_what_passes_no_factor_on_is_left(tmp_path: Path, operator: str) -> None:
    between = helper.make_node(operator, ["a"], ["r"], "between")
    last = helper.make_node("Conv", ["r", "p"], ["y"], "second")
    assert balanced(made(tmp_path, FIRST, between, last))[0] == 0


def test_a_value_that_others_read_is_left(tmp_path: Path) -> None:
    nodes = [
        FIRST,
        helper.make_node("Relu", ["a"], ["r"], "relu"),
        helper.make_node("Conv", ["r", "p"], ["c"], "second"),
        helper.make_node("ReduceSum", ["r"], ["s"], "sum"),
        helper.make_node("Add", ["c", "s"], ["y"], "add"),
    ]
    assert balanced(made(tmp_path, *nodes))[0] == 0


def test_channels_without_weights_stay(tmp_path: Path) -> None:
    path = made(tmp_path, FIRST, *BETWEEN["relu"], helper.make_node("Conv", ["r", "p"], ["y"]))
    model = onnx.load(str(path))
    for tensor in model.graph.initializer:
        if tensor.name in ("w", "p"):
            array = numpy_helper.to_array(tensor).copy()
            array[0 if tensor.name == "w" else slice(None), 0 if tensor.name == "p" else ...] = 0
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    for node in model.graph.node:
        node.name = node.name or "last"
    onnx.save(model, str(path))
    assert balanced(path)[0] == 1


def test_int8_gains_by_it_where_channels_differ(tmp_path: Path) -> None:
    last = helper.make_node("Conv", ["r", "p"], ["y"], "second")
    path = made(tmp_path, FIRST, *BETWEEN["relu"], last)
    figures = []
    for wanted in (False, True):
        output = tmp_path / f"{wanted}.onnx"
        result = StaticInt8().apply(path, output, {"equalise": wanted}, Noise(), Silent())
        assert result.facts["equalised"] == int(wanted)
        figures.append(sqnr(path, output, Noise()))
    assert figures[1] > figures[0] + 10
