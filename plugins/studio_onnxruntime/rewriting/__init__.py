"""Rewriting of a float model into an equal one that is faster and better to quantize."""

from __future__ import annotations

from onnx import ModelProto

from studio_onnxruntime.rewriting.equalisation import balance
from studio_onnxruntime.rewriting.folding import fold_ahead, fold_behind
from studio_onnxruntime.rewriting.view import View

__all__ = ["equalise", "fold"]


def fold(model: ModelProto) -> int:
    """Fold all affine operators that a convolution can take in, in place.

    Returns:
        How many nodes were folded.
    """
    view = View(model.graph)
    folded = fold_behind(view) + fold_ahead(view)
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
