"""Speed-up of int8 on this machine: layers of a model, each timed in float and int8."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from studio.api import Array, Session
from studio_onnxruntime.backend import OnnxRuntime

_ROUNDS = 5
_ROUND_SECONDS = 0.003
_SLOW_SECONDS = 0.02
_SLOW_ROUNDS = 3
_OPSET = 17
_NODES = 17
_NUMBERS = 2**16

_FLOAT = TensorProto.FLOAT


def timed_layers(shapes: Sequence[Any], signed: bool) -> dict[str, tuple[float, float]]:
    """Return microseconds of each layer in float and int8, on one thread, by its key.

    In int8 a layer reads bytes, and a convolution writes them, so that no rounding is counted.
    Both take turns, and the fastest round of each counts, since a disturbance only ever adds time.

    Args:
        shapes: Each with ``kind``, ``read``, ``weight``, ``group``, ``strides``, ``pads`` and
            ``key``, as `studio.quantization` describes layers.
    """
    found = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        # The time of a run without work is subtracted from that of each layer.
        run = _seconds_of(folder, _row(1, 8))
        for shape in shapes:
            models = [layer_model(shape, quantized, signed) for quantized in (False, True)]
            exact, int8 = _fastest(models, folder)
            found[shape.key] = (_us(exact - run), _us(int8 - run))
    return found


def overheads(signed: bool) -> dict[str, Any]:
    """Return microseconds of the work outside of layers.

    Returns:
        ``run_us`` of a run that does next to nothing; ``quantize``, ``dequantize``, and operators
        that are ``cheap``, ``middle`` (activation functions) and ``slow`` (where each number meets
        one of its channel): of a node, and of each number.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        run = _seconds_of(folder, _row(1, 8))
        node = max(_seconds_of(folder, _row(_NODES, 8)) - run, 0.0) / (_NODES - 1)
        found: dict[str, Any] = {"run_us": _us(run - node)}
        rows = {"cheap": ("Neg", "Abs"), "middle": ("Sigmoid", "Tanh"), "slow": ("PRelu", "PRelu")}
        for what, kinds in rows.items():
            whole = max(_seconds_of(folder, _row(_NODES, _NUMBERS, kinds)) - run, 0.0) / _NODES
            found[what] = [_us(node), _us(max(whole - node, 0.0)) / _NUMBERS]
        for what in ("quantize", "dequantize"):
            small, wide = (_seconds_of(folder, _rounding(what, n, signed)) for n in (8, _NUMBERS))
            found[what] = [_us(node), _us(max(wide - small, 0.0)) / _NUMBERS]
        return found


def _us(seconds: float) -> float:
    return float(max(seconds, 0.0) * 1e6)


def layer_model(shape: Any, quantized: bool, signed: bool) -> ModelProto:
    """Return a model of one layer; in int8 its inputs and outputs are bytes."""
    weight = _weight(tuple(shape.weight))
    scale = numpy.float32(abs(weight).max() / 127)
    byte = numpy.dtype(numpy.int8 if signed else numpy.uint8)
    constants: dict[str, Any] = {"w": weight}
    nodes: list[NodeProto] = []
    kind, made = _FLOAT, "y"
    names = ["x", "w"]
    if quantized:
        kind = helper.np_dtype_to_tensor_dtype(byte)
        constants = {
            "q": (weight / scale).round().astype(numpy.int8),
            "ws": numpy.array(scale),
            "wz": numpy.array(0, numpy.int8),
            "s": numpy.array(0.05, numpy.float32),
            "z": numpy.array(0 if signed else 128, byte),
        }
        nodes = [
            helper.make_node("DequantizeLinear", ["x", "s", "z"], ["a"]),
            helper.make_node("DequantizeLinear", ["q", "ws", "wz"], ["b"]),
        ]
        names = ["a", "b"]
    convolution = shape.kind in ("Conv", "depthwise")
    if not convolution:
        nodes.append(helper.make_node("MatMul", names, [made]))
    else:
        made = "c" if quantized else "y"
        settings = {"group": shape.group, "strides": shape.strides, "pads": shape.pads}
        nodes.append(helper.make_node("Conv", names, [made], **settings))
        if quantized:
            nodes.append(helper.make_node("QuantizeLinear", ["c", "s", "z"], ["y"]))
    given = kind if convolution else _FLOAT
    ends = [
        helper.make_tensor_value_info("x", kind, shape.read),
        helper.make_tensor_value_info("y", given, None),
    ]
    return _model(nodes, ends, constants)


def _row(count: int, size: int, kinds: Sequence[str] = ("Sin", "Cos")) -> ModelProto:
    """Return a chain of alternating operators that the runtime does not fuse."""
    names = ["x", *(f"v{index}" for index in range(count - 1)), "y"]
    more = ["slope"] if "PRelu" in kinds else []
    nodes = [
        helper.make_node(kinds[index % 2], [names[index], *more], [names[index + 1]])
        for index in range(count)
    ]
    shape = [1, 8, size // 8]
    slope = {"slope": numpy.full((8, 1), 0.5, "float32")} if more else {}
    ends = [helper.make_tensor_value_info(name, _FLOAT, shape) for name in "xy"]
    return _model(nodes, ends, slope)


def _rounding(what: str, size: int, signed: bool) -> ModelProto:
    """Return a model that rounds a single value to bytes, or back to floats."""
    byte = numpy.dtype(numpy.int8 if signed else numpy.uint8)
    kinds = [_FLOAT, helper.np_dtype_to_tensor_dtype(byte)]
    operator = "QuantizeLinear" if what == "quantize" else "DequantizeLinear"
    kinds = kinds if what == "quantize" else kinds[::-1]
    constants = {"s": numpy.array(0.05, numpy.float32), "z": numpy.array(0, byte)}
    ends = [
        helper.make_tensor_value_info(name, kind, [1, size])
        for name, kind in zip("xy", kinds, strict=True)
    ]
    return _model([helper.make_node(operator, ["x", "s", "z"], ["y"])], ends, constants)


def _model(
    nodes: Sequence[NodeProto], ends: Sequence[Any], constants: Mapping[str, Any]
) -> ModelProto:
    tensors = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "timed", ends[:1], ends[1:], tensors)
    opset = [helper.make_opsetid("", _OPSET)]
    made: ModelProto = helper.make_model(graph, opset_imports=opset, ir_version=8)
    return made


def _weight(size: tuple[int, ...]) -> Any:
    fan = max(1.0, float(numpy.prod(size[1:])))
    return (numpy.random.default_rng(1).normal(size=size) / numpy.sqrt(fan)).astype("float32")


def _seconds_of(folder: Path, model: ModelProto) -> float:
    return _fastest([model], folder)[0]


def _fastest(models: Sequence[ModelProto], folder: Path) -> list[float]:
    """Return seconds of a run of each model, in the fastest of interleaved rounds."""
    loaded = []
    for index, model in enumerate(models):
        path = folder / f"{index}.onnx"
        onnx.save(model, str(path))
        loaded.append((OnnxRuntime().load(path, {"threads": 1}), _fed(model)))
    slowest = max(_seconds(session, array, 1) for session, array in loaded)
    slowest = min(slowest, max(_seconds(session, array, 1) for session, array in loaded))
    runs = max(1, round(_ROUND_SECONDS / max(slowest, 1e-6)))
    best = [numpy.inf] * len(loaded)
    for _ in range(_SLOW_ROUNDS if slowest > _SLOW_SECONDS else _ROUNDS):
        for index, (session, array) in enumerate(loaded):
            best[index] = min(best[index], _seconds(session, array, runs) / runs)
    for session, _ in loaded:
        session.close()
    return [float(one) for one in best]


def _fed(model: ModelProto) -> Array:
    kind = model.graph.input[0].type.tensor_type
    size = [one.dim_value for one in kind.shape.dim]
    array = numpy.random.default_rng(0).normal(size=size)
    if kind.elem_type == _FLOAT:
        return array.astype(numpy.float32)
    return (array * 20).astype(helper.tensor_dtype_to_np_dtype(kind.elem_type))


def _seconds(session: Session, array: Array, runs: int) -> float:
    begin = time.process_time()
    for _ in range(runs):
        session.run({"x": array})
    return time.process_time() - begin
