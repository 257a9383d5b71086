"""Calibration: the ranges of activations, from samples that are read one at a time."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from studio.api import Dataset, InvalidData, Progress
from studio_onnxruntime.activations import following, identity
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.histogram import Histogram, Range
from studio_onnxruntime.passes import Pass
from studio_onnxruntime.range_selection import fitted_even_range, fitted_range
from studio_onnxruntime.rewriting import with_largest

_FEW = 16
"""Samples that tell the sizes of channels."""

_FLOORS = {"Relu": 0.0, "HardSwish": -3.0}
"""Operators that give the same for all values below a bound, so that a range may end there."""


def calibrate(
    path: Path,
    operators: Collection[str],
    data: Dataset,
    progress: Progress,
    *,
    method: str,
    percentile: float,
    seen: dict[str, Histogram] | None = None,
    even: bool = False,
    every: bool = False,
) -> dict[str, Range]:
    """Return the range of every activation that an operator of these kinds reads or writes.

    The memory needed is that of one sample's activations in a few neighbouring layers, and of a
    histogram for each value, regardless of the number of samples.

    Args:
        path: A prepared model.
        seen: Takes the histograms, for who wants to draw them.
        even: Whether fitted ranges lie evenly around zero.
        every: Whether every float value has a range, whatever reads and writes it.

    Raises:
        InvalidData: when a sample does not fit, or makes an activation infinite or not a number.
    """
    model = onnx.load(str(path))
    kinds = {node.op_type for node in model.graph.node} if every else operators
    names = _activations(model.graph, kinds)
    layers = [node.name for node in model.graph.node if node.op_type in operators]
    values = Pass(model, layers, frozenset(names))
    histograms = {name: Histogram() for name in names}
    if method == "entropy":
        histograms = {n: Histogram(x) for n, x in _largest(values, names, data, progress).items()}
    for index, sample in enumerate(data):
        progress.progress(index, len(data), f"Calibrating ({index + 1} of {len(data)})")
        for name, array in values.run(sample.feeds):
            if not numpy.isfinite(array).all():
                raise InvalidData(
                    f"Sample {sample.name} makes the value {name!r} not finite, in float already."
                )
            histograms[name].add(array)
    if seen is not None:
        seen.update(histograms)
    if method in ("activation-aware", "mse"):
        functions = following(model.graph) if method == "activation-aware" else {}
        fitted = fitted_even_range if even else fitted_range
        return {
            name: fitted(histogram, functions.get(name, identity))
            for name, histogram in histograms.items()
        }
    floors = _floors(model.graph)
    return {
        name: _range(histogram, method, percentile, floors.get(name, -math.inf))
        for name, histogram in histograms.items()
    }


def channel_sizes(
    model: onnx.ModelProto, names: Collection[str], data: Dataset, near: Path, progress: Progress
) -> dict[str, NDArray[numpy.float64]]:
    """Return the largest magnitude in each channel of some values, over a few samples.

    Args:
        near: Path next to which a copy of the model with these outputs is written.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    outputs = with_largest(copy, names)
    path = near.with_name("channels.onnx")
    onnx.save(copy, str(path))
    session = OnnxRuntime().load(path, {})
    found: dict[str, NDArray[numpy.float64]] = {}
    step = max(1, len(data) // _FEW)
    for index, sample in enumerate(data):
        if index % step:
            continue
        progress.progress(0, 1, f"Looking at the channels ({index + 1} of {len(data)})")
        answer = session.run(sample.feeds, list(outputs.values()))
        for name, output in outputs.items():
            sizes = answer[output].max(axis=0).reshape(-1).astype(numpy.float64)
            found[name] = numpy.maximum(found.get(name, 0.0), sizes)
    session.close()
    return found


def _largest(
    values: Pass, names: Sequence[str], data: Dataset, progress: Progress
) -> dict[str, float]:
    """Return the largest magnitude of each value."""
    found = dict.fromkeys(names, 0.0)
    for index, sample in enumerate(data):
        progress.progress(0, 1, f"Looking for the extremes ({index + 1} of {len(data)})")
        for name, array in values.run(sample.feeds):
            ends = float(array.max(initial=0)), -float(array.min(initial=0))
            found[name] = max(found[name], *(end for end in ends if math.isfinite(end)), 0.0)
    return found


def _range(histogram: Histogram, method: str, percentile: float, floor: float) -> Range:
    if method == "percentile":
        return histogram.percentile(percentile, floor)
    if method == "percentile-symmetric":
        end = histogram.symmetric(percentile)
        return max(-end, floor), end
    low, high = histogram.entropy() if method == "entropy" else histogram.extremes()
    return max(low, floor), max(high, floor)


def _activations(graph: onnx.GraphProto, operators: Collection[str]) -> list[str]:
    """Return the float values at the operators, without constants, in the graph's order."""
    constants = {tensor.name for tensor in graph.initializer}
    typed = {
        value.name: value.type.tensor_type.elem_type
        for value in (*graph.value_info, *graph.input, *graph.output)
    }
    names = [
        name
        for node in graph.node
        if node.op_type in operators
        for name in (*node.input, *node.output)
        if name
        and name not in constants
        and typed.get(name, TensorProto.FLOAT) == TensorProto.FLOAT
    ]
    return list(dict.fromkeys(names))


def _floors(graph: onnx.GraphProto) -> Mapping[str, float]:
    """Return the bound below which a value does not affect its only operator."""
    readers: dict[str, list[str]] = {value.name: [""] for value in graph.output}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node.op_type)
    return {
        name: _FLOORS[found[0]]
        for name, found in readers.items()
        if len(found) == 1 and found[0] in _FLOORS
    }
