"""Predicted file size of a quantized variant: bytes of its weights in each precision."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase

from studio.api import Graph, Node
from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.lazy_dataclass import dataclass
from studio.models.macs import sizes
from studio.quantization.outlook.layer_shapes import layer_kind
from studio.quantization.preset import Preset

_FLOAT_BYTES = 4
_PER_CHANNEL = 5
"""Bytes of the scale and the zero point of one output channel."""

_NODE_BYTES = 360
"""Bytes of the nodes, scales and names that quantize and restore the values around one layer."""

_HALVED = ("fp16", "bf16")
_BLOCKS = "weight-only"
_METHODS = ("static-int8", "nncf", "dynamic-int8", _BLOCKS, *_HALVED)


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of a preset that decide on the size, with their defaults."""

    keep: tuple[str, ...] = ()
    float_depthwise: bool = True
    per_channel: bool = True
    bits: str | int = 8
    block: str | int = 32


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
    try:
        options = from_json(_Options, dict(preset.options))
    except InvalidDocument:  # a value that is being typed
        return None
    weights = {node.inputs[1] for node in _converted(graph, preset, options)}
    converted = _float_bytes(graph, weights)
    if preset.method == _BLOCKS:
        after = sum(_blocks(_float_bytes(graph, [name]), options) for name in weights)
    else:
        after = sum(_levels(graph, name, options) for name in weights)
    return SizeEstimate(before, before - converted + after, converted)


def _converted(graph: Graph, preset: Preset, options: _Options) -> Iterator[Node]:
    """Yield the layers whose weights change their precision."""
    floats = [name for name, precision in preset.layers.items() if precision == "float"]
    patterns = [*options.keep, *floats]
    kinds = ("MatMul",) if preset.method in (_BLOCKS, "dynamic-int8") else ("Conv", "MatMul")
    for node in graph.nodes:
        kind = layer_kind(node, graph)
        if kind == "depthwise" and not _is_kept(node, graph, options):
            kind = "Conv"
        if kind not in kinds or not _float_bytes(graph, node.inputs[1:2]):
            continue
        if not any(fnmatchcase(node.name, one) or node.operator == one for one in patterns):
            yield node


def _is_kept(node: Node, graph: Graph, options: _Options) -> bool:
    """Return whether a convolution in groups filters each channel alone, and so stays in float."""
    shape = sizes(graph, node.inputs[1]) or ()
    return options.float_depthwise and shape[1:2] == (1,)


def _blocks(nbytes: int, options: _Options) -> int:
    """Return the bytes of weights in blocks, each with a scale."""
    numbers = nbytes // _FLOAT_BYTES
    blocks = math.ceil(numbers / int(options.block))
    return numbers * int(options.bits) // 8 + blocks * _FLOAT_BYTES


def _levels(graph: Graph, name: str, options: _Options) -> int:
    """Return the bytes of one layer's weights in 8 bits, with the nodes that they need."""
    shape = sizes(graph, name) or (0,)
    channels = max(shape[0], shape[-1]) if options.per_channel else 1
    numbers = _float_bytes(graph, [name]) // _FLOAT_BYTES
    return numbers + channels * _PER_CHANNEL + _NODE_BYTES


def _float_bytes(graph: Graph, names: Collection[str]) -> int:
    """Return the bytes of the constants among some names that are stored in float32."""
    found = (graph.initializers.get(name) for name in names)
    return sum(one.nbytes for one in found if one is not None and one.type.dtype == "float32")
