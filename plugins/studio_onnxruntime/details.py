"""Facts of each layer for tables and drawings: precision, ranges, distributions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, numpy_helper

from studio_onnxruntime.histogram import Histogram, Range

_BARS = 96


def layers(
    graph: GraphProto,
    chosen: Collection[str],
    kept: Mapping[str, str],
    precision: str,
    *,
    wide: Collection[str] = (),
    ranges: Mapping[str, Range] | None = None,
    histograms: Mapping[str, Histogram] | None = None,
) -> list[dict[str, Any]]:
    """Return a row for each layer that was or could be quantized, in the graph's order.

    Args:
        kept: Those that stayed in float, with the reason.
        precision: Of the chosen ones; of those in ``wide`` it is ``a16w8``.
        ranges, histograms: Of activations, by name.

    Returns:
        ``name, operator, precision, why``, and where they are known ``weights`` and
        ``activations`` (what the layer reads): ``low, high, counts`` of the values and the
        ``range`` that the levels span.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    rows = []
    for node in graph.node:
        if node.name not in chosen and node.name not in kept:
            continue
        row: dict[str, Any] = {
            "name": node.name,
            "operator": node.op_type,
            "precision": "float",
            "why": kept.get(node.name, ""),
        }
        if node.name not in kept:
            row["precision"] = "a16w8" if node.name in wide else precision
        row |= _weights(node, constants, row["precision"] == "float")
        row |= _activations(node, ranges or {}, histograms or {})
        rows.append(row)
    return rows


def _weights(
    node: NodeProto, constants: Mapping[str, TensorProto], in_float: bool
) -> dict[str, Any]:
    tensor = constants.get(node.input[1]) if len(node.input) > 1 else None
    if tensor is None or tensor.data_type != TensorProto.FLOAT:
        return {}
    array = numpy_helper.to_array(tensor)
    if not array.size:
        return {}
    peak = float(numpy.abs(array).max())
    outline = _outline(array, float(array.min()), float(array.max()))
    return {"weights": {**outline, "range": None if in_float else [-peak, peak]}}


def _activations(
    node: NodeProto, ranges: Mapping[str, Range], histograms: Mapping[str, Histogram]
) -> dict[str, Any]:
    histogram = histograms.get(node.input[0])
    if histogram is None or not histogram.total:
        return {}
    centres, counts = histogram.occupied()
    low, high = histogram.extremes()
    span = ranges.get(node.input[0])
    outline = _outline(centres, low, high, counts)
    return {"activations": {**outline, "range": list(span) if span else None}}


def _outline(
    values: NDArray[Any], low: float, high: float, weights: NDArray[Any] | None = None
) -> dict[str, Any]:
    """Return counts in a few equal bins from the lowest to the highest value."""
    if low == high:
        return {"low": low, "high": high, "counts": [int(values.size)]}
    counts, _ = numpy.histogram(values, bins=_BARS, range=(low, high), weights=weights)
    return {"low": low, "high": high, "counts": [int(count) for count in counts]}
