"""Rewriting of a float model into an equal one that is faster and better to quantize."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from onnx import ModelProto

from studio_onnxruntime.rewriting.equalisation import balance
from studio_onnxruntime.rewriting.folding import fold_ahead, fold_behind
from studio_onnxruntime.rewriting.inputs import balance_inputs, depthwise_inputs, with_largest
from studio_onnxruntime.rewriting.layers import Doubles
from studio_onnxruntime.rewriting.view import View

__all__ = ["balanced_inputs", "equalise", "equalise_inputs", "fold", "with_largest"]


def fold(model: ModelProto, spared: Collection[str] = ()) -> int:
    """Fold all affine operators into convolutions, in place.

    Args:
        spared: Names of convolutions before which operators stay.

    Returns:
        How many nodes were folded.
    """
    view = View(model.graph)
    folded = fold_behind(view) + fold_ahead(view, frozenset(spared))
    view.sweep()
    return folded


def equalise(model: ModelProto) -> int:
    """Balance the channels between neighbouring convolutions, in place.

    Returns:
        How many pairs were changed.
    """
    view = View(model.graph)
    changed = balance(view)
    view.sweep()
    return changed


def balanced_inputs(model: ModelProto, chosen: Collection[str]) -> list[str]:
    """Return the values whose channels ``equalise_inputs`` needs."""
    return [name for name, _, _ in depthwise_inputs(View(model.graph), chosen)]


def equalise_inputs(
    model: ModelProto, largest: Mapping[str, Doubles], chosen: Collection[str]
) -> frozenset[str]:
    """Balance the channels that the chosen depthwise convolutions read, in place.

    Args:
        largest: Magnitude of each channel of each of ``balanced_inputs`` on samples.

    Returns:
        Names of the convolutions that read other values now.
    """
    view = View(model.graph)
    changed = balance_inputs(view, largest, chosen)
    view.sweep()
    return changed
