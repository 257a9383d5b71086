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
_IDLE = 32


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
    "Conv": (Shape(16, 8, 3), Shape(32, 28, 3), Shape(64, 14, 3), Shape(96, 28, 1)),
    "depthwise": (Shape(64, 28, 3, 64), Shape(128, 14, 3, 128)),
    "MatMul": (Shape(256, 64), Shape(512, 16)),
}
"""What is timed for each kind of layer: sizes that are common in small models."""

_SMALL = Shape(8, 4, 3)
"""A layer with next to no work."""


def measured(signed: bool) -> dict[str, Any]:
    """What float and int8 take here, on one thread.

    Both take turns, and the fastest round of each counts, since a disturbance only ever adds time.

    Returns:
        ``ratios``: time in int8 over time in float of each kind, the lowest and the highest of its
        shapes; ``rates``: multiplications in a microsecond in float; ``node_us`` and ``run_us``:
        what a node, and a run, take that do next to nothing; ``layer_us``: the same of a layer, in
        float and in int8.
    """
    ratios: dict[str, tuple[float, float]] = {}
    rates: dict[str, float] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        one, many = (_idle(count, folder) for count in (1, 1 + _IDLE))
        small = _times(_SMALL, folder, signed)
        for kind, shapes in KINDS.items():
            # What a layer without work takes is told apart, so it is no part of the ratio.
            times = [
                [
                    max(took - idle, 1e-9)
                    for took, idle in zip(_times(s, folder, signed), small, strict=True)
                ]
                for s in shapes
            ]
            found = [int8 / exact for exact, int8 in times]
            ratios[kind] = (min(found), max(found))
            rates[kind] = min(
                _macs(shape) / exact / 1e6 for shape, (exact, _) in zip(shapes, times, strict=True)
            )
    node = max(many - one, 0.0) / _IDLE * 1e6
    run = max(one * 1e6 - node, 0.0)
    return {
        "ratios": ratios,
        "rates": rates,
        "node_us": node,
        "run_us": run,
        "layer_us": [max(seconds * 1e6 - run, 0.0) / _LAYERS for seconds in small],
    }


def _times(shape: Shape, folder: Path, signed: bool) -> tuple[float, float]:
    """Seconds of a run in float and in int8."""
    array = numpy.random.default_rng(0).normal(size=_edge(shape)).astype("float32")
    models = [_model(shape, quantized, signed) for quantized in (False, True)]
    exact, int8 = _fastest(models, array, folder)
    return exact, int8


def _fastest(models: list[onnx.ModelProto], array: Any, folder: Path) -> list[float]:
    """Seconds of a run of each model, in the fastest of the rounds in which all took turns."""
    sessions = []
    for index, model in enumerate(models):
        path = folder / f"{index}.onnx"
        onnx.save(model, str(path))
        sessions.append(OnnxRuntime().load(path, {"threads": 1}))
    slowest = max(_seconds(session, array, 1) for session in sessions)
    runs = max(1, round(_ROUND_SECONDS / max(slowest, 1e-6)))
    best = [numpy.inf] * len(sessions)
    for _ in range(_ROUNDS):
        for index, session in enumerate(sessions):
            best[index] = min(best[index], _seconds(session, array, runs) / runs)
    for session in sessions:
        session.close()
    return [float(one) for one in best]


def _macs(shape: Shape) -> int:
    """Multiplications of the layers that are timed together."""
    if not shape.kernel:
        return _LAYERS * shape.size * shape.channels**2
    taps = shape.kernel**2 * shape.channels // shape.group
    return _LAYERS * shape.size**2 * shape.channels * taps


def _idle(count: int, folder: Path) -> float:
    """Seconds of a run of so many nodes on eight numbers."""
    names = ["x", *(f"v{index}" for index in range(count))]
    kinds = ("Sin", "Cos")  # which nothing fuses
    nodes = [
        helper.make_node(kinds[index % 2], [names[index]], [names[index + 1]])
        for index in range(count)
    ]
    first, last = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8])
        for name in (names[0], names[-1])
    )
    graph = helper.make_graph(nodes, "idle", [first], [last])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
    return _fastest([model], numpy.ones((1, 8), "float32"), folder)[0]


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
