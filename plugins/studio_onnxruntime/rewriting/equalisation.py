"""Equalisation of the channels between two convolutions for one common range.

After M. Nagel et al., "Data-free quantization through weight equalization and bias correction"
(2019), section 4.1. A channel may be divided by a positive number on one side and multiplied by it
on the other, where what lies between passes such a factor on. Factors are powers of two, so that no
weight loses a bit.
"""

from __future__ import annotations

import numpy
from onnx import NodeProto

from studio_onnxruntime.rewriting.layers import Convolution, Doubles
from studio_onnxruntime.rewriting.view import View

HOMOGENEOUS = ("Relu", "LeakyRelu", "PRelu", "MaxPool", "AveragePool", "GlobalAveragePool")
"""Operators for which f(s * x) = s * f(x), channel by channel, for every s > 0."""

_ROUNDS = 4
MOST = 2.0**8


def balance(view: View) -> int:
    """Balance the weights of neighbouring convolutions in place.

    Returns:
        How many pairs were changed.
    """
    changed: set[str] = set()
    for _ in range(_ROUNDS):
        found = [node.name for node in view.nodes("Conv") if _pair(view, node)]
        changed.update(found)
        if not found:
            break
    return len(changed)


def _pair(view: View, node: NodeProto) -> bool:
    first = Convolution.of(view, node)
    second = Convolution.of(view, _next(view, node))
    if first is None or second is None or second.inputs != first.outputs:
        return False
    factors = _factors(first, second)
    if (factors == 1).all():
        return False
    before, after = first.rescaled(factors), second.fed(1 / factors)
    if not (before.finite and after.finite):
        return False
    before.store(view)
    after.store(view)
    return True


def _next(view: View, node: NodeProto) -> NodeProto | None:
    """Return the only convolution behind another, past nodes that pass factors on."""
    following = view.reader(node.output[0])
    while following is not None and following.op_type in HOMOGENEOUS:
        following = view.reader(following.output[0])
    return following


def _factors(first: Convolution, second: Convolution) -> Doubles:
    """Return the factors of the channels between two layers; 1 where one side has no weights."""
    made = numpy.abs(first.weight).reshape(first.outputs, -1).max(axis=1).astype(numpy.float64)
    wide = numpy.abs(second.weight).reshape(second.group, -1, *second.weight.shape[1:])
    read = wide.max(axis=1).reshape(second.inputs, -1).max(axis=1).astype(numpy.float64)
    known = (made > 0) & (read > 0)
    ratio = numpy.sqrt(numpy.where(known, read, 1) / numpy.where(known, made, 1))
    # The whole may keep its size: only the differences between channels matter.
    ratio /= numpy.exp(numpy.log(ratio[known]).mean()) if known.any() else 1
    powers = 2.0 ** numpy.round(numpy.log2(ratio))
    factors: Doubles = numpy.where(known, numpy.clip(powers, 1 / MOST, MOST), 1.0)
    return factors
