"""The rounding of weights to any type of the search."""

from __future__ import annotations

import numpy as np

from studio_llama_cpp.tool_blocks import GRIDS
from studio_llama_cpp.tool_library import TYPES, Array, Library
from studio_llama_cpp.tool_rounding import carried, rounded
from studio_llama_cpp.tool_super import LAYOUTS, rounded_super
from studio_llama_cpp.tool_weighing import Weighing

_TOGETHER = 16384
"""Rows that are rounded at once: a table of 100,000 tokens would need its size five times."""


def round_to(weights: Array, kind: str, weighed: Weighing, library: Library) -> tuple[Array, Array]:
    """Round weights (rows, columns) to a type.

    Returns:
        The blocks as bytes (rows, bytes), and their values.
    """
    found = [
        _round(weights[start : start + _TOGETHER], kind, weighed, library)
        for start in range(0, len(weights), _TOGETHER)
    ]
    blocks, values = zip(*found, strict=True)
    return np.concatenate(blocks), np.concatenate(values)


def _round(weights: Array, kind: str, weighed: Weighing, library: Library) -> tuple[Array, Array]:
    if kind in GRIDS:
        return rounded(weights, GRIDS[kind], weighed)
    if kind in LAYOUTS:
        return rounded_super(weights, kind, weighed, library)
    if kind == "F16":
        blocks = library.round(weights, TYPES[kind])
        return blocks, library.widen(blocks, TYPES[kind], weights.shape)
    return carried(weights, TYPES[kind], weighed, library)
