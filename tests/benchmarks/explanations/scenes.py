"""Pictures of several digits at known places, and models for them, with numpy alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SIDE, DIGIT, SCALE = 64, 8, 2
DIGITS_A_SCENE = 3
EDGE = DIGIT * SCALE


class Scenes(NamedTuple):
    """Pictures with what is in them.

    Attributes:
        pictures: n x 1 x side x side.
        classes: n x 10, 1 for each digit that is there.
        labels: Class of each digit, n x digits.
        boxes: Left, top, right, bottom of each digit, n x digits x 4.
    """

    pictures: np.ndarray
    classes: np.ndarray
    labels: np.ndarray
    boxes: np.ndarray


def composed(digits: np.ndarray, labels: np.ndarray, count: int, seed: int) -> Scenes:
    """Put digits of different classes on noise; none covers another."""
    random = np.random.default_rng(seed)
    pictures = random.random((count, 1, SIDE, SIDE)).astype(np.float32) * 0.25
    classes = np.zeros((count, 10), np.float32)
    kinds = np.zeros((count, DIGITS_A_SCENE), np.int64)
    boxes = np.zeros((count, DIGITS_A_SCENE, 4))
    for number in range(count):
        chosen = random.choice(10, DIGITS_A_SCENE, replace=False)
        for place, (kind, (left, top)) in enumerate(zip(chosen, _places(random), strict=True)):
            digit = digits[random.choice(np.flatnonzero(labels == kind))][0]
            large = np.kron(digit, np.ones((SCALE, SCALE), np.float32))
            region = pictures[number, 0, top : top + EDGE, left : left + EDGE]
            np.maximum(region, large * random.uniform(0.7, 1.0), out=region)
            classes[number, kind], kinds[number, place] = 1, kind
            boxes[number, place] = (left, top, left + EDGE, top + EDGE)
    return Scenes(pictures, classes, kinds, boxes)


def _places(random: np.random.Generator) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while len(found) < DIGITS_A_SCENE:
        left, top = (int(one) for one in random.integers(0, SIDE - EDGE, 2))
        if all(abs(left - x) >= EDGE or abs(top - y) >= EDGE for x, y in found):
            found.append((left, top))
    return found


LAYERS = ((1, 16, True), (16, 32, True), (32, 64, False), (64, 64, False))
"""Channels in and out of each convolution, and whether pooling follows."""


def network(weights: dict[str, np.ndarray], path: Path) -> None:
    """Save the classifier of scenes as ONNX: convolutions, the largest place of each class."""
    from onnx import TensorProto, helper, numpy_helper, save

    nodes, value = [], "x"
    for number, (_, _, pooled) in enumerate(LAYERS):
        nodes += [
            helper.make_node("Conv", [value, f"w{number}", f"b{number}"], [f"c{number}"],
                             pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"c{number}"], [f"r{number}"]),
        ]  # fmt: skip
        value = f"r{number}"
        if pooled:
            nodes.append(helper.make_node("MaxPool", [value], [f"p{number}"], kernel_shape=[2, 2],
                                          strides=[2, 2]))  # fmt: skip
            value = f"p{number}"
    nodes += [
        helper.make_node("Conv", [value, "w4", "b4"], ["places"]),
        helper.make_node("GlobalMaxPool", ["places"], ["best"]),
        helper.make_node("Flatten", ["best"], ["flat"]),
        helper.make_node("Sigmoid", ["flat"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes, "scenes",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    save(_model(graph), str(path))


WIDE = ((3, 16), (16, 32), (32, 64), (64, 128), (128, 128))


def wide_network(path: Path, seed: int = 0) -> dict[str, np.ndarray]:
    """Save a network of untrained weights for 224 x 224 pixels, for times alone."""
    from onnx import TensorProto, helper, numpy_helper, save

    random = np.random.default_rng(seed)
    weights: dict[str, np.ndarray] = {}
    nodes, value = [], "x"
    for number, (before, after) in enumerate(WIDE):
        scale = np.sqrt(2 / (9 * before))
        weights[f"w{number}"] = (random.normal(size=(after, before, 3, 3)) * scale).astype("f4")
        weights[f"b{number}"] = np.zeros(after, np.float32)
        strides = [2, 2] if number < 4 else [1, 1]
        nodes += [
            helper.make_node("Conv", [value, f"w{number}", f"b{number}"], [f"c{number}"],
                             pads=[1, 1, 1, 1], strides=strides),
            helper.make_node("Relu", [f"c{number}"], [f"r{number}"]),
        ]  # fmt: skip
        value = f"r{number}"
    weights["dense"] = random.normal(size=(128, 100)).astype("f4") * np.float32(0.1)
    nodes += [
        helper.make_node("GlobalAveragePool", [value], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("MatMul", ["flat", "dense"], ["z"]),
        helper.make_node("Softmax", ["z"], ["y"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "wide",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 224, 224])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 100])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    save(_model(graph), str(path))
    return weights


def row_network(path: Path, features: int, hidden: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Save a model of rows: linear without hidden units, otherwise one hidden layer."""
    from onnx import TensorProto, helper, numpy_helper, save

    random = np.random.default_rng(seed)
    if hidden:
        weights = {
            "w0": random.normal(size=(features, hidden)).astype("f4"),
            "w1": random.normal(size=(hidden, 1)).astype("f4"),
        }
        nodes = [
            helper.make_node("MatMul", ["x", "w0"], ["h"]),
            helper.make_node("Tanh", ["h"], ["t"]),
            helper.make_node("MatMul", ["t", "w1"], ["y"]),
        ]
    else:
        weights = {"w0": random.normal(size=(features, 1)).astype("f4")}
        nodes = [helper.make_node("MatMul", ["x", "w0"], ["y"])]
    graph = helper.make_graph(
        nodes, "rows",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", features])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    save(_model(graph), str(path))
    return weights


def _model(graph: Any) -> Any:
    from onnx import helper

    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


Answer = Callable[[dict[str, Any]], dict[str, Any]]


def serve(answer: Answer) -> None:
    """Answer requests, one JSON document a line, until the input ends."""
    for request in _requests():
        print(json.dumps(answer(request)), flush=True)


def _requests() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)
