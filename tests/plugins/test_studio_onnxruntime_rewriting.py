"""Rewriting of float models: fewer nodes, the same outputs but for rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper

from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.rewriting import fold
from studio_onnxruntime.rewriting.folding import fold_ahead, fold_behind
from studio_onnxruntime.rewriting.view import View, used

from . import models

RANDOM = numpy.random.default_rng(3)
COLUMN = RANDOM.normal(size=(1, 4, 1, 1)).astype("float32")
SCALAR = numpy.array([1.7], "float32")
WEIGHT = RANDOM.normal(size=(4, 3, 3, 3)).astype("float32")
POINT = RANDOM.normal(size=(5, 4, 1, 1)).astype("float32")
DEPTH = RANDOM.normal(size=(4, 1, 3, 3)).astype("float32")
NORM = {name: RANDOM.uniform(0.5, 2, 4).astype("float32") for name in ("g", "b", "m", "v")}
CONSTANTS = {"w": WEIGHT, "p": POINT, "d": DEPTH, "s": SCALAR, "c": COLUMN, **NORM}


def node(operator: str, inputs: str, output: str, **more: Any) -> NodeProto:
    return helper.make_node(operator, inputs.split(), [output], f"{operator}_{output}", **more)


def run(path: Path) -> numpy.ndarray:
    x = numpy.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype("float32")
    (array,) = OnnxRuntime().load(path, {}).run({"x": x}).values()
    return array


def folded(folder: Path, *nodes: NodeProto) -> tuple[list[str], int]:
    """Operators left and how many were folded, after the outputs were compared."""
    source = models.save(
        folder / "m.onnx", nodes, {"x": [2, 3, 8, 8]}, {"y": [2, "c", "h", "w"]}, CONSTANTS
    )
    model = onnx.load(str(source))
    count = fold(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(folder / "folded.onnx"))
    before, after = run(source), run(folder / "folded.onnx")
    assert numpy.abs(after - before).max() <= 2e-6 * numpy.abs(before).max()
    return [one.op_type for one in model.graph.node], count


CONV = node("Conv", "x w", "a", pads=[1] * 4)


@pytest.mark.parametrize(
    "following",
    [
        [node("Mul", "s a", "y")],
        [node("Mul", "a c", "y")],
        [node("Add", "a c", "y")],
        [node("Sub", "a c", "y")],
        [node("Div", "a c", "y")],
        [node("BatchNormalization", "a g b m v", "y")],
        [node("Mul", "s a", "e"), node("Add", "e c", "f"), node("Div", "f s", "y")],
    ],
)
def test_what_follows_a_convolution_is_folded(tmp_path: Path, following: list[NodeProto]) -> None:
    assert folded(tmp_path, CONV, *following) == (["Conv"], len(following))


def test_what_precedes_a_convolution_without_padding_is_folded(tmp_path: Path) -> None:
    nodes = [CONV, node("Relu", "a", "r"), node("Mul", "r c", "e"), node("Add", "e s", "f")]
    assert folded(tmp_path, *nodes, node("Conv", "f p", "y")) == (["Conv", "Relu", "Conv"], 2)
    depthwise = node("Conv", "f d", "y", group=4)
    assert folded(tmp_path, *nodes, depthwise) == (["Conv", "Relu", "Conv"], 2)


def test_an_offset_ahead_of_padding_stays(tmp_path: Path) -> None:
    nodes = [CONV, node("Relu", "a", "r"), node("Mul", "r c", "e"), node("Add", "e s", "f")]
    padded = node("Conv", "f d", "y", group=4, pads=[1] * 4)
    assert folded(tmp_path, *nodes, padded) == (["Conv", "Relu", "Add", "Conv"], 1)


def test_values_that_others_read_stay(tmp_path: Path) -> None:
    nodes = [CONV, node("Mul", "a c", "e"), node("Add", "a e", "y")]
    assert folded(tmp_path, *nodes) == (["Conv", "Mul", "Add"], 0)


@pytest.mark.parametrize(
    "following",
    [
        [node("Sub", "c a", "y")],
        [node("Div", "c a", "y")],
        [node("Mul", "a a", "y")],
    ],
)
def test_what_is_not_affine_stays(tmp_path: Path, following: list[NodeProto]) -> None:
    assert folded(tmp_path, CONV, *following)[1] == 0


def test_a_constant_that_varies_over_positions_stays(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], "conv", pads=[1] * 4),
        helper.make_node("Add", ["a", "wide"], ["y"], "add"),
    ]
    wide = RANDOM.normal(size=(1, 1, 8, 8)).astype("float32")
    constants = {"w": WEIGHT, "wide": wide}
    shapes = {"x": [2, 3, 8, 8]}, {"y": [2, 4, 8, 8]}
    path = models.save(tmp_path / "m.onnx", nodes, *shapes, constants)
    assert fold(onnx.load(str(path))) == 0


def test_a_shared_weight_is_not_changed_for_the_other(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "a"),
        node("Conv", "x w", "b1"),
        node("Mul", "a c", "e"),
        node("Add", "e b1", "y"),
    ]
    assert folded(tmp_path, *nodes) == (["Conv", "Conv", "Add"], 1)


def test_a_fold_that_would_overflow_is_left(tmp_path: Path) -> None:
    huge = {"w": WEIGHT, "h": numpy.array([3e38], "float32")}
    nodes = [node("Conv", "x w", "a"), node("Mul", "a h", "e"), node("Mul", "e h", "y")]
    path = models.save(tmp_path / "m.onnx", nodes, {"x": [2, 3, 8, 8]}, {"y": [2, 4, 6, 6]}, huge)
    assert fold(onnx.load(str(path))) == 0


def test_look_ups_stay_true_while_a_long_chain_is_folded(tmp_path: Path) -> None:
    nodes, last = [], "x"
    for number in range(300):
        names = [f"{kind}{number}" for kind in "abcde"]
        nodes.append(helper.make_node("Conv", [last, "q"], [names[0]], names[0]))
        nodes.append(helper.make_node("Mul", [names[0], "s"], [names[1]], names[1]))
        nodes.append(helper.make_node("Add", [names[1], "c"], [names[2]], names[2]))
        nodes.append(helper.make_node("Tanh", [names[2]], [names[3]], names[3]))
        last = names[3]
    constants = {"q": POINT[:4] / 4, "s": SCALAR, "c": COLUMN}
    shapes = {"x": [1, 4, 2, 2]}, {last: [1, 4, 2, 2]}
    model = onnx.load(str(models.save(tmp_path / "m.onnx", nodes, *shapes, constants)))
    looked: list[int] = []

    class Counted(View):
        def maker(self, name: str) -> NodeProto | None:
            looked.append(1)
            return super().maker(name)

    view = Counted(model.graph)
    assert fold_behind(view) + fold_ahead(view) == 600
    view.sweep()
    assert [one.op_type for one in model.graph.node] == ["Conv", "Tanh"] * 300
    assert len(looked) <= 2 * 300
    onnx.checker.check_model(model, full_check=True)


def test_what_a_block_makes_itself_is_not_read_from_around_it() -> None:
    block = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["state", "outer"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, [1]),
        ],
    )
    loop = helper.make_node("Loop", ["n", "", "x"], ["y"], body=block)
    assert [name for name in used(loop) if name] == ["n", "x", "outer"]
