"""The work of each node of a graph whose open sizes were assumed when it was opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from studio.api import Graph, TensorType


def node_macs(graph: Graph, summary: Mapping[str, Any]) -> Mapping[str, float]:
    """MACs by node name, where they are known and not nothing.

    Args:
        summary: What opening the model left; its ``assumed_shapes`` fix the named open sizes, so
            that the numbers add up to its ``macs``.
    """
    from studio.models.cost import overlay  # with the first graph, not with the window

    assumed = summary.get("assumed_shapes")
    return overlay(_sized(graph, assumed if isinstance(assumed, Mapping) else {}), "macs")


def _sized(graph: Graph, assumed: Mapping[str, Any]) -> Graph:
    sizes: dict[str, int] = {}
    for value in graph.inputs:
        shape = value.type.shape if value.type is not None else None
        for dimension, size in zip(shape or (), assumed.get(value.name, ()), strict=False):
            if isinstance(dimension, str):
                sizes[dimension] = int(size)
    if not sizes:
        return graph
    return replace(graph, values={name: _fixed(kind, sizes) for name, kind in graph.values.items()})


def _fixed(kind: TensorType, sizes: Mapping[str, int]) -> TensorType:
    if kind.shape is None:
        return kind
    shape = tuple(sizes.get(size, size) if isinstance(size, str) else size for size in kind.shape)
    return TensorType(kind.dtype, shape)
