"""Correction of biases for the mean error that rounding leaves in each channel.

After M. Nagel et al., "Data-free quantization through weight equalization and bias correction"
(2019), section 4.2, with means from samples. Every layer is compared with itself on its own float
input, so that one session measures all of them and no correction depends on another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from pathlib import Path

import numpy
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

from studio.api import Dataset, Progress
from studio_onnxruntime.histogram import Range
from studio_onnxruntime.passes import Pass
from studio_onnxruntime.range_selection import clipped_weight
from studio_onnxruntime.rewriting.layers import Convolution
from studio_onnxruntime.rewriting.view import Floats, View

SAMPLES = 16
"""Means over positions settle after a few samples."""


def clip_weights(model: ModelProto, chosen: Collection[str], levels: int) -> None:
    """Cut the weights of the chosen convolutions where their channels then lose least."""
    view = View(model.graph)
    for node in view.nodes("Conv"):
        convolution = Convolution.of(view, node) if node.name in chosen else None
        if convolution is not None:
            view.write(node, 1, clipped_weight(convolution.weight, 0, levels))
    view.sweep()


def bias_errors(
    exact: Path,
    model: ModelProto,
    chosen: Collection[str],
    ranges: Mapping[str, Range],
    data: Dataset,
    progress: Progress,
    levels: int,
) -> dict[str, Floats]:
    """Return the mean rounding error of each channel of the chosen convolutions.

    Args:
        exact: The float model.
        model: The model with the weights that will be rounded.
        levels: Of the weights, on either side of zero.
    """
    view = View(model.graph)
    found = (Convolution.of(view, n) for n in view.nodes("Conv") if n.name in chosen)
    layers = {one.node.name: one for one in found if one and one.node.input[0] in ranges}
    if not layers:
        return {}
    branched, names = _branched(exact, layers, ranges, levels)
    return _means(Pass(branched, list(layers), frozenset(names)), names, data, progress)


def correct_biases(model: ModelProto, errors: Mapping[str, Floats]) -> None:
    """Add to the convolutions' biases what rounding takes from them."""
    view = View(model.graph)
    for node in view.nodes("Conv"):
        layer = Convolution.of(view, node) if node.name in errors else None
        if layer is not None and numpy.isfinite(errors[node.name]).all():
            view.write(node, 2, layer.bias + errors[node.name])
    view.sweep()


def _means(
    values: Pass, names: Mapping[str, str], data: Dataset, progress: Progress
) -> dict[str, Floats]:
    """Return mean errors of the layers, from the outputs that hold them."""
    total = min(SAMPLES, len(data))
    step = len(data) // total
    sums: dict[str, Floats] = {}
    # Spread evenly over the data, because neighbouring samples are often alike.
    for index, sample in enumerate(islice(iter(data), 0, step * total, step)):
        progress.progress(1, 1, f"Correcting biases ({index + 1} of {total})")
        for value, array in values.run(sample.feeds):
            mean, name = array.mean(axis=0).reshape(-1), names[value]
            sums[name] = sums.get(name, numpy.zeros_like(mean)) + mean / numpy.float32(total)
    return sums


def _branched(
    exact: Path, layers: Mapping[str, Convolution], ranges: Mapping[str, Range], levels: int
) -> tuple[ModelProto, dict[str, str]]:
    """Return the float model with a rounded copy of each layer; layers by their error's name."""
    model = onnx.load(str(exact))
    graph, names = model.graph, {}
    nodes: list[NodeProto] = []
    for node in graph.node:
        nodes.append(NodeProto())
        nodes[-1].CopyFrom(node)
        layer = layers.get(node.name)
        if layer is not None:
            mean = f"{node.name}.mean_error"
            nodes += _branch(graph, node, layer, ranges[node.input[0]], levels, mean)
            names[mean] = node.name
    del graph.node[:]
    graph.node.extend(nodes)
    return model, names


def _branch(
    graph: onnx.GraphProto,
    node: NodeProto,
    layer: Convolution,
    ends: Range,
    levels: int,
    mean: str,
) -> list[NodeProto]:
    base = f"{node.name}.rounded"
    step = numpy.float32(max((ends[1] - ends[0]) / 255, 1e-30))
    constants = {
        "step": step,
        "zero": numpy.uint8(numpy.clip(numpy.round(-ends[0] / step), 0, 255)),
        "weight": rounded_weight(layer.weight, levels),
        "bias": layer.bias,
    }
    for key, value in constants.items():
        graph.initializer.append(numpy_helper.from_array(numpy.asarray(value), f"{base}.{key}"))
    scale = [f"{base}.step", f"{base}.zero"]
    copy = helper.make_node("Conv", [], [f"{base}.output"], f"{base}.conv")
    copy.attribute.extend(node.attribute)
    copy.input.extend([f"{base}.x", f"{base}.weight", f"{base}.bias"])
    return [
        helper.make_node("QuantizeLinear", [node.input[0], *scale], [f"{base}.q"]),
        helper.make_node("DequantizeLinear", [f"{base}.q", *scale], [f"{base}.x"]),
        copy,
        helper.make_node("Sub", [node.output[0], f"{base}.output"], [f"{base}.error"]),
        helper.make_node("GlobalAveragePool", [f"{base}.error"], [mean]),
    ]


def rounded_weight(weight: Floats, levels: int) -> Floats:
    """Return weights after a round trip through symmetric levels per output channel."""
    largest = numpy.abs(weight).reshape(len(weight), -1).max(axis=1, initial=0.0)
    step = numpy.where(largest > 0, largest / levels, 1).reshape(-1, *(1,) * (weight.ndim - 1))
    return (numpy.round(weight / step) * step).astype(numpy.float32)
