"""Folding of affine operators into the convolutions before and behind them.

Each fold is exact: the outputs of the float model change by no more than rounding.
"""

from __future__ import annotations

import numpy
from onnx import NodeProto

from studio_onnxruntime.rewriting.layers import Convolution, Doubles, affine
from studio_onnxruntime.rewriting.view import View

_KINDS = ("Mul", "Add", "Sub", "Div", "BatchNormalization")
_LARGEST_SHIFT = 1e3
"""A Mul may change places with the Add behind it while the new offset is no larger: beyond, digits
would be lost in the sum."""


def fold_behind(view: View) -> int:
    """Fold what follows a convolution and scales or shifts its channels, batch normalisation too.

    Returns:
        How many nodes were folded.
    """
    folded = 0
    for node in view.nodes("Conv"):
        while _fold_next(view, node):
            folded += 1
    return folded


def _fold_next(view: View, node: NodeProto) -> bool:
    convolution = Convolution.of(view, node)
    following = view.reader(node.output[0])
    found = affine(view, following)
    if convolution is None or following is None or found is None:
        return False
    scale = convolution.channels(found[1], convolution.outputs)
    shift = convolution.channels(found[2], convolution.outputs)
    if scale is None or shift is None:
        return False
    merged = convolution.rescaled(scale, shift)
    if not merged.finite:
        return False
    merged.store(view)
    view.replace(node, following)
    return True


def fold_ahead(view: View, spared: frozenset[str] = frozenset()) -> int:
    """Fold scales and shifts of a convolution's input into it.

    A padded convolution cannot take a shift in, since the zeros around its input are not shifted;
    a scale before that shift changes places with it.

    Args:
        spared: Names of convolutions whose input is left as it is.

    Returns:
        How many nodes were folded.
    """
    folded = 0
    for node in view.nodes("Conv"):
        if node.name not in spared:
            while _fold_previous(view, node):
                folded += 1
    return folded


def _fold_previous(view: View, node: NodeProto) -> bool:
    convolution = Convolution.of(view, node)
    previous = view.maker(node.input[0])
    if convolution is None or previous is None or view.reader(previous.output[0]) is not node:
        return False
    found = affine(view, previous)
    scale, shift = (None, None) if found is None else _maps(convolution, found[1], found[2])
    if found is None or scale is None or shift is None:
        return False
    if shift.any() and convolution.padded:
        return _swap(view, convolution, previous, shift)
    return _merge(view, convolution.fed(scale, shift), previous, found[0])


def _merge(view: View, merged: Convolution, previous: NodeProto, source: str) -> bool:
    if not merged.finite:
        return False
    merged.store(view)
    view.remove(previous)
    view.feed(merged.node, 0, source)
    return True


def _swap(view: View, convolution: Convolution, adding: NodeProto, shift: Doubles) -> bool:
    """Turn ``(scale * x) + shift`` before a padded convolution into ``x + shift / scale``."""
    scaling = view.maker(adding.input[0]) or view.maker(adding.input[1])
    if adding.op_type != "Add" or scaling is None or scaling.op_type != "Mul":
        return False
    if view.reader(scaling.output[0]) is not adding:
        return False
    found = affine(view, scaling)
    scale = None if found is None else convolution.channels(found[1], convolution.inputs)
    if found is None or scale is None or not scale.all():
        return False
    moved, merged = shift / scale, convolution.fed(scale)
    if not numpy.abs(moved).max() <= _LARGEST_SHIFT or not merged.finite:
        return False
    same = (moved == moved[0]).all()
    offsets = moved[:1] if same else moved.reshape(-1, *(1,) * (convolution.weight.ndim - 2))
    merged.store(view)
    view.feed(adding, 0, found[0])
    view.write(adding, 1, offsets)
    view.remove(scaling)
    return True


def _maps(
    convolution: Convolution, scale: numpy.ndarray, shift: numpy.ndarray
) -> tuple[Doubles | None, Doubles | None]:
    count = convolution.inputs
    return convolution.channels(scale, count), convolution.channels(shift, count)
