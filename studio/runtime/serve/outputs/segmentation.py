"""Segmentation maps in an answer, detected by shapes and values."""

from __future__ import annotations

from typing import Callable, Mapping, Optional

import numpy as np

from .detections import softmax, sums_to_one, unit

MOST_CELLS = 1 << 16
"""Of a larger map so many cells are looked at, spread evenly."""

_FEWEST_CELLS = 1024
_SMALLEST = 16
_MIDDLE = 0.5
_UNDECIDED = 0.4
_MOST_UNDECIDED = 0.5
_MOST_KINDS = 256
_PICTURES = (3, 4)

Outputs = Mapping[str, np.ndarray]
Cells = Callable[[Outputs], np.ndarray]
"""Reads some cells, from 0 to 1: how likely there is what is looked for, or, where there are more
than two classes, cells x classes."""


def map_of(name: str, array: np.ndarray) -> Optional[Cells]:
    """How to read the likelihoods of cells, or of cells and classes; None of another output."""
    if array.ndim not in (3, 4) or array.shape[0] != 1:
        return None
    axis = _axis_of_kinds(array)
    kinds = array.shape[axis] if axis else 1
    table = _cells(array, axis) if kinds > 1 else array.reshape(-1, 1)
    if sorted(array.shape)[-2] < _SMALLEST or kinds > _MOST_KINDS:
        return None
    shares = kinds > 1 and sums_to_one(table)
    if shares or (_are_logits(table) and kinds > 1):
        return _reader_of_kinds(name, axis, shares, table)
    # A picture, or a depth, has values of all sizes; a likelihood is seldom undecided.
    undecided = (np.abs(table - _MIDDLE) < _UNDECIDED).mean()
    if kinds in _PICTURES or not unit(table) or undecided > _MOST_UNDECIDED:
        return None
    return lambda outputs: some(outputs[name].reshape(-1), MOST_CELLS)


def some(rows: np.ndarray, most: int) -> np.ndarray:
    """Return a limited number, spread evenly."""
    found: np.ndarray = rows[:: -(-len(rows) // most)] if len(rows) > most else rows
    return found


def _reader_of_kinds(name: str, axis: int, shares: bool, first: np.ndarray) -> Cells:
    """Of two kinds the rarer one is what is looked for; of more each cell is one of a class."""

    def likely(table: np.ndarray) -> np.ndarray:
        return table.astype(np.float32) if shares else softmax(table)

    if first.shape[1] > 2:
        return lambda outputs: likely(_cells(outputs[name], axis))
    rarer = int(likely(first)[:, 1].mean() <= _MIDDLE)

    def read(outputs: Outputs) -> np.ndarray:
        found: np.ndarray = likely(_cells(outputs[name], axis))[:, rarer]
        return found

    return read


def _are_logits(table: np.ndarray) -> bool:
    """Return whether cells x kinds are logits, and not a picture or hidden features."""
    return table.shape[1] not in _PICTURES and bool(table.min() < 0.0) and not unit(table)


def _axis_of_kinds(array: np.ndarray) -> int:
    """Return the axis of classes: along which likelihoods sum to one, else the shorter; 0: none."""
    if array.ndim == 3:
        return 0
    for axis in (1, 3):
        if array.shape[axis] > 1 and sums_to_one(_cells(array, axis)):
            return axis
    return 1 if array.shape[1] <= array.shape[3] else 3


def _cells(array: np.ndarray, axis: int) -> np.ndarray:
    """Some cells x classes of a map; fewer where there are many classes."""
    kinds = array.shape[axis]
    table = array[0].reshape(kinds, -1).T if axis == 1 else array.reshape(-1, kinds)
    return some(table, max(_FEWEST_CELLS, 2 * MOST_CELLS // kinds))
