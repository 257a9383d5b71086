"""Predicted file size of a quantized variant: bytes of its weights in each precision."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from studio.api import Graph, Node
from studio.models.macs import sizes
from studio.quantization.preset import Preset

_PRODUCTS = ("MatMul", "Gemm")
_FLOAT_BYTES = 4
_PER_CHANNEL = 5
"""Bytes of the scale and the zero point of one output channel."""

_NODE_BYTES = 360
"""Bytes of the nodes, scales and names that quantize and restore the values around one layer."""

_HALVED = ("fp16", "bf16")
_BLOCKS = "weight-only"
_METHODS = ("static-int8", "nncf", "dynamic-int8", _BLOCKS, *_HALVED)


@dataclass(frozen=True, slots=True)
class SizeEstimate:
    """A predicted file size.

    Attributes:
        before: Bytes of the float model's files.
        after: Bytes that the variant is expected to have.
        converted: Bytes of the weights that change their precision.
    """

    before: int
    after: int
    converted: int

    @property
    def ratio(self) -> float:
        """The predicted size over that of the float model."""
        return self.after / self.before if self.before else 1.0


def estimate_size(graph: Graph, before: int, preset: Preset) -> SizeEstimate | None:
    """Return the predicted size of a preset's variant; None for a method that is not known.

    Args:
        graph: Of the float model.
        before: Bytes of its files.
    """
    if preset.method not in _METHODS:
        return None
    if preset.method in _HALVED:
        converted = _float_bytes(graph, graph.initializers)
        return SizeEstimate(before, before - converted // 2, converted)
    layers = {node.inputs[1]: node for node in _layers(graph, preset)}
    converted = sum(_float_bytes(graph, [name]) for name in layers)
    after = sum(_bytes_after(graph, name, preset) for name in layers)
    return SizeEstimate(before, before - converted + after, converted)


def _layers(graph: Graph, preset: Preset) -> Iterator[Node]:
    """Yield the layers whose weights change their precision."""
    kept = preset.options.get("keep") or ()
    patterns = [str(one) for one in kept] if isinstance(kept, (list, tuple)) else []
    patterns += [name for name, precision in preset.layers.items() if precision == "float"]
    for node in graph.nodes:
        name = node.inputs[1] if len(node.inputs) > 1 else ""
        if not _float_bytes(graph, [name]) or not _is_quantized(node, graph, preset):
            continue
        if not any(fnmatchcase(node.name, one) or node.operator == one for one in patterns):
            yield node


def _is_quantized(node: Node, graph: Graph, preset: Preset) -> bool:
    if node.operator in _PRODUCTS:
        return True
    if node.operator != "Conv" or preset.method in (_BLOCKS, "dynamic-int8"):
        return False
    shape = sizes(graph, node.inputs[1]) or ()
    depthwise = shape[1:2] == (1,) and node.attributes.get("group", 1) == shape[0] > 1
    return not (depthwise and preset.options.get("float_depthwise", True))


def _bytes_after(graph: Graph, name: str, preset: Preset) -> int:
    """Return the bytes of one layer's weights and scales, with the nodes that they need."""
    numbers = _float_bytes(graph, [name]) // _FLOAT_BYTES
    if preset.method == _BLOCKS:
        bits, block = (int(str(preset.options.get(key, value))) for key, value in _DEFAULTS)
        return numbers * bits // 8 + math.ceil(numbers / block) * _FLOAT_BYTES
    shape = sizes(graph, name) or (0,)
    channels = max(shape[0], shape[-1]) if preset.options.get("per_channel", True) else 1
    return numbers + channels * _PER_CHANNEL + _NODE_BYTES


_DEFAULTS = (("bits", 8), ("block", 32))
"""The options of blocks of weights with their defaults."""


def _float_bytes(graph: Graph, names: Collection[str]) -> int:
    """Return the bytes of the constants among some names that are stored in float32."""
    found = (graph.initializers.get(name) for name in names)
    return sum(one.nbytes for one in found if one is not None and one.type.dtype == "float32")
