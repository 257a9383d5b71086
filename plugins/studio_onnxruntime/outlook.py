"""Whether int8 will be faster on this machine: small layers timed in float and in int8."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from studio.api import Session
from studio_onnxruntime.backend import OnnxRuntime

_LAYERS = 3
_ROUNDS = 7
_ROUND_SECONDS = 0.004
_OPSET = 17


@dataclass(frozen=True, slots=True)
class Shape:
    """A layer that is timed.

    Attributes:
        size: Height and width, or rows of a product.
        group: Channels that are filtered apart.
    """

    channels: int
    size: int
    kernel: int = 0
    group: int = 1


KINDS: Mapping[str, tuple[Shape, ...]] = {
    "Conv": (Shape(32, 28, 3), Shape(64, 14, 3), Shape(96, 28, 1)),
    "depthwise": (Shape(64, 28, 3, 64), Shape(128, 14, 3, 128)),
    "MatMul": (Shape(256, 64), Shape(512, 16)),
}
"""What is timed for each kind of layer: sizes that are common in small models."""


def measured(signed: bool) -> dict[str, tuple[float, float]]:
    """Time in int8 over time in float of each kind: the lowest and the highest of its shapes.

    One thread; both take turns, and the fastest round of each counts, since a disturbance only
    ever adds time.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        ratios = {
            kind: [_ratio(shape, folder, signed) for shape in shapes]
            for kind, shapes in KINDS.items()
        }
    return {kind: (min(found), max(found)) for kind, found in ratios.items()}


def _ratio(shape: Shape, folder: Path, signed: bool) -> float:
    generator = numpy.random.default_rng(0)
    array = generator.normal(size=_edge(shape)).astype("float32")
    sessions = []
    for name, quantized in (("float", False), ("int8", True)):
        path = folder / f"{name}.onnx"
        onnx.save(_model(shape, quantized, signed), str(path))
        sessions.append(OnnxRuntime().load(path, {"threads": 1}))
    times = [_seconds(session, array, 1) for session in sessions]
    runs = max(1, round(_ROUND_SECONDS / max(max(times), 1e-6)))
    best = [numpy.inf, numpy.inf]
    for _ in range(_ROUNDS):
        for index, session in enumerate(sessions):
            best[index] = min(best[index], _seconds(session, array, runs))
    for session in sessions:
        session.close()
    return float(best[1] / best[0])


def _seconds(session: Session, array: Any, runs: int) -> float:
    begin = time.process_time()
    for _ in range(runs):
        session.run({"x": array})
    return time.process_time() - begin


def _model(shape: Shape, quantized: bool, signed: bool) -> onnx.ModelProto:
    """Several such layers in a row, each between quantization where it is asked for."""
    kind = numpy.int8 if signed else numpy.uint8
    zero = numpy.array(0 if signed else 128, kind)
    weight = _weight(shape)
    scale = numpy.float32(abs(weight).max() / 127)
    constants = {
        "w": weight,
        "q": (weight / scale).round().astype(numpy.int8),
        "ws": numpy.array(scale),
        "wz": numpy.array(0, numpy.int8),
        "s": numpy.array(0.05, numpy.float32),
        "z": zero,
    }
    nodes, value = [], "x"
    for index in range(_LAYERS):
        weights = "w"
        if quantized:
            nodes += _rounded(value, f"a{index}")
            nodes.append(helper.make_node("DequantizeLinear", ["q", "ws", "wz"], [f"w{index}"]))
            value, weights = f"a{index}", f"w{index}"
        nodes.append(_layer(shape, value, weights, f"y{index}"))
        value = f"y{index}"
    if quantized:
        nodes += _rounded(value, "end")
        value = "end"
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, _edge(shape)) for n in ("x", value)]
    used = {name for node in nodes for name in node.input}
    tensors = [numpy_helper.from_array(a, n) for n, a in constants.items() if n in used]
    graph = helper.make_graph(nodes, "layers", ends[:1], ends[1:], tensors)
    opset = [helper.make_opsetid("", _OPSET)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


def _edge(shape: Shape) -> list[int]:
    """The shape of what goes in and comes out."""
    if shape.kernel:
        return [1, shape.channels, shape.size, shape.size]
    return [shape.size, shape.channels]


def _weight(shape: Shape) -> Any:
    size: tuple[int, ...] = (shape.channels, shape.channels)
    if shape.kernel:
        size = (shape.channels, shape.channels // shape.group, shape.kernel, shape.kernel)
    fan = numpy.prod(size[1:])
    return (numpy.random.default_rng(1).normal(size=size) / numpy.sqrt(fan)).astype("float32")


def _rounded(value: str, result: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("QuantizeLinear", [value, "s", "z"], [f"{result}_q"]),
        helper.make_node("DequantizeLinear", [f"{result}_q", "s", "z"], [result]),
    ]


def _layer(shape: Shape, value: str, weights: str, result: str) -> onnx.NodeProto:
    if not shape.kernel:
        return helper.make_node("MatMul", [value, weights], [result])
    pads = [shape.kernel // 2] * 4
    return helper.make_node("Conv", [value, weights], [result], group=shape.group, pads=pads)
