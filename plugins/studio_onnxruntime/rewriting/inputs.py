"""Equalisation of the inputs of depthwise convolutions for one range of all channels.

A depthwise convolution filters each channel alone and its weights have a scale for each, so that a
channel of its input may be enlarged and its filter reduced without loss. The factors go into the
constants and weights ahead: a Mul or an Add that is there anyway (scalar affine blocks), a batch
normalisation, or the convolution before. They are powers of two, so that no weight loses a bit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial

import numpy
from onnx import ModelProto, NodeProto, TensorProto, helper

from studio_onnxruntime.rewriting.equalisation import HOMOGENEOUS, MOST
from studio_onnxruntime.rewriting.layers import Convolution, Doubles
from studio_onnxruntime.rewriting.view import View

_Change = Callable[[], object]
_SCALED = ("Mul", "Div")
_SHIFTED = ("Add", "Sub")


def depthwise_inputs(view: View, chosen: Collection[str]) -> Iterator[tuple[str, int, int]]:
    """Yield values that only chosen depthwise convolutions read, with channels and rank."""
    seen = set()
    for node in view.nodes("Conv"):
        layer = _depthwise(view, node, chosen)
        name = node.input[0]
        if layer is None or name in seen or view.leaves(name) or view.maker(name) is None:
            continue
        seen.add(name)
        if all(_depthwise(view, reader, chosen) for reader in view.readers(name)):
            yield name, layer.inputs, layer.weight.ndim


def with_largest(model: ModelProto, names: Collection[str]) -> dict[str, str]:
    """Add outputs that tell the largest magnitude in each channel; their names by value.

    They are reduced inside the graph, so that no activation leaves it.
    """
    outputs = {}
    for name in names:
        size, top = f"{name}.size", f"{name}.largest"
        model.graph.node.extend(
            [
                helper.make_node("Abs", [name], [size]),
                helper.make_node("GlobalMaxPool", [size], [top]),
            ]
        )
        model.graph.output.append(helper.make_tensor_value_info(top, TensorProto.FLOAT, None))
        outputs[name] = top
    return outputs


def balance_inputs(
    view: View, largest: Mapping[str, Doubles], chosen: Collection[str]
) -> frozenset[str]:
    """Balance the channels that depthwise convolutions read, in place.

    Args:
        largest: Magnitude that each channel of a value reaches on samples.
        chosen: Names of the convolutions that may be changed.

    Returns:
        Names of the convolutions that were; those whose factors nothing ahead can take are left.
    """
    changed: set[str] = set()
    for name, channels, rank in list(depthwise_inputs(view, chosen)):
        factors = _factors(largest[name]) if len(largest.get(name, ())) == channels else None
        if factors is None or (factors == 1).all():
            continue
        ahead = _plan(view, name, factors, rank)
        behind = [_depthwise(view, node, chosen) for node in view.readers(name)]
        fed = [layer.fed(1 / factors) for layer in behind if layer is not None]
        if ahead is None or not all(layer.finite for layer in fed):
            continue
        for change in ahead:
            change()
        for layer in fed:
            layer.store(view)
        changed.update(layer.node.name for layer in behind if layer is not None)
    return frozenset(changed)


def _factors(largest: Doubles) -> Doubles:
    """Return powers of two that equalise the channels; 1 where a channel is empty."""
    top = largest.max(initial=0.0)
    known = numpy.isfinite(largest) & (largest > 0)
    ratio = numpy.where(known, top / numpy.where(known, largest, 1), 1.0)
    factors: Doubles = 2.0 ** numpy.clip(numpy.floor(numpy.log2(ratio)), 0, numpy.log2(MOST))
    return factors


def _depthwise(view: View, node: NodeProto, chosen: Collection[str]) -> Convolution | None:
    layer = Convolution.of(view, node) if node.name in chosen else None
    return layer if layer is not None and layer.depthwise else None


def _plan(view: View, name: str, factors: Doubles, rank: int) -> list[_Change] | None:
    """Return the nodes that scale the channels of a value, or None if one cannot."""
    node = view.maker(name)
    if node is None:
        return None
    if node.op_type == "Conv":
        layer = Convolution.of(view, node)
        merged = None if layer is None or layer.outputs != len(factors) else layer.rescaled(factors)
        return [partial(merged.store, view)] if merged is not None and merged.finite else None
    if node.op_type in HOMOGENEOUS:
        return _further(view, node.input[0], factors, rank)
    found = view.operand(node) if node.op_type in (*_SCALED, *_SHIFTED) else None
    if found is None:
        return None
    variable, constant = found
    divides = node.op_type == "Div"
    if divides and variable != node.input[0]:
        return None
    array = _spread(constant, 1 / factors if divides else factors, rank)
    if array is None:
        return None
    place = list(node.input).index(variable)
    change = partial(view.write, node, 1 - place, array)
    if node.op_type in _SCALED:
        return [change]
    more = _further(view, variable, factors, rank)
    return None if more is None else [change, *more]


def _further(view: View, name: str, factors: Doubles, rank: int) -> list[_Change] | None:
    """Return the plan of a value with no other reader."""
    return None if view.reader(name) is None else _plan(view, name, factors, rank)


def _spread(constant: numpy.ndarray, factors: Doubles, rank: int) -> Doubles | None:
    """Return a scalar or per-channel constant times the factors, else None."""
    shape = (1,) * (rank - constant.ndim) + constant.shape
    if constant.ndim > rank or shape not in ((1,) * rank, (1, len(factors)) + (1,) * (rank - 2)):
        return None
    scaled = constant.reshape(-1).astype(numpy.float64) * factors
    result: Doubles = scaled.reshape(1, -1, *(1,) * (rank - 2))
    return result if numpy.isfinite(scaled.astype(numpy.float32)).all() else None
