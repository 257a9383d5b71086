"""Own rounding of weights into blocks of 32: scales by search, errors carried to later columns.

Columns are rounded in order, and errors are carried by the Cholesky factor of the inverse of the
inputs' products: GPTQ (Frantar et al., 2022). The blocks are ggml's.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from studio_llama_cpp.tool_library import Array, Library

BLOCK = 32
_DAMP = 0.01
_CODES = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32
)
"""Values of IQ4_NL's sixteen codes."""

_SHRINKS = np.linspace(0.7, 1.05, 11, dtype=np.float32)


class Grid(NamedTuple):
    """The values that a block can hold: a scale and perhaps a minimum times whole numbers.

    Attributes:
        number: ggml's number of the type.
        low: Least whole number; 0 with a minimum.
        coded: Whether the numbers are places in a table.
    """

    number: int
    low: int
    high: int
    minimum: bool = False
    coded: bool = False


GRIDS = {
    "Q4_0": Grid(2, -8, 7),
    "IQ4_NL": Grid(20, 0, 15, coded=True),
    "Q4_1": Grid(3, 0, 15, minimum=True),
    "Q5_0": Grid(6, -16, 15),
    "Q5_1": Grid(7, 0, 31, minimum=True),
    "Q8_0": Grid(8, -127, 127),
}


def factor(products: Array) -> Array:
    """Return the upper Cholesky factor of the inverse of inputs' products (columns, columns)."""
    damped = products.astype(np.float64)
    mean = float(np.mean(np.diag(damped))) or 1.0
    damped[np.diag_indices_from(damped)] += _DAMP * mean
    return np.linalg.cholesky(np.linalg.inv(damped)).T.astype(np.float32)


def rounded(weights: Array, grid: Grid, upper: Array) -> tuple[Array, Array]:
    """Round weights (rows, columns), carrying each column's error to those behind it.

    Returns:
        The blocks as bytes (rows, bytes), and their values.
    """
    left = np.ascontiguousarray(weights, np.float32).copy()
    values, parts = np.empty_like(left), []
    for start in range(0, left.shape[1], BLOCK):
        end = start + BLOCK
        square = upper[start:end, start:end]
        weight = 1 / np.diag(square) ** 2
        scale, least = scales(left[:, start:end], grid, weight)
        whole = np.empty((len(left), BLOCK), np.int32)
        errors = np.empty((len(left), BLOCK), np.float32)
        block = left[:, start:end]
        for place in range(BLOCK):
            column = block[:, place]
            whole[:, place] = _nearest(column[:, None], grid, scale, least)[:, 0]
            value = _values(whole[:, place : place + 1], grid, scale, least)[:, 0]
            values[:, start + place] = value
            errors[:, place] = (column - value) / square[place, place]
            block[:, place + 1 :] -= errors[:, place : place + 1] * square[place, place + 1 :]
        left[:, end:] -= errors @ upper[start:end, end:]
        parts.append(pack(whole, grid, scale, least))
    return np.concatenate(parts, 1), values


def carried(
    weights: Array, number: int, upper: Array, library: Library, importance: Array
) -> tuple[Array, Array]:
    """Round weights with llama.cpp's own rounding, carrying errors from block to block."""
    left = np.ascontiguousarray(weights, np.float32).copy()
    values, parts = np.empty_like(left), []
    size = library.block(number)[0]
    for start in range(0, left.shape[1], size):
        end = start + size
        blocks = library.round(left[:, start:end], number, importance[start:end])
        values[:, start:end] = library.widen(blocks, number, (len(left), size))
        gap = left[:, start:end] - values[:, start:end]
        # The errors that triangular substitution would have left in each column.
        errors = np.linalg.solve(upper[start:end, start:end].T, gap.T).T
        left[:, end:] -= errors @ upper[start:end, end:]
        parts.append(blocks)
    return np.concatenate(parts, 1), values


def scales(block: Array, grid: Grid, weight: Array) -> tuple[Array, Array]:
    """Return scale and minimum of each row of a block, with the least weighted squared error."""
    best = np.full(len(block), np.inf, np.float32)
    scale, least = np.zeros((2, len(block)), np.float32)
    for tried, low in _candidates(block, grid, weight):
        tried, low = _half(tried), _half(low)
        whole = _nearest(block, grid, tried, low)
        gap = _values(whole, grid, tried, low) - block
        error = (gap * gap) @ weight
        better = error < best
        best[better], scale[better], least[better] = error[better], tried[better], low[better]
    return scale, least


def _candidates(block: Array, grid: Grid, weight: Array) -> list[tuple[Array, Array]]:
    none = np.zeros(len(block), np.float32)
    if grid.minimum:
        low, high = block.min(1), block.max(1)
        found = []
        for shrink in _SHRINKS[::2]:
            middle, half = (low + high) / 2, (high - low) / 2 * shrink
            scale, least = 2 * half / grid.high, middle - half
            found.append((scale, least))
            found.append(_fitted(block, _nearest(block, grid, scale, least), weight))
        return found
    extreme = np.take_along_axis(block, np.abs(block).argmax(1)[:, None], 1)[:, 0]
    found = []
    widest = _CODES[0] if grid.coded else float(grid.low)
    steps = _SHRINKS if grid.high < 100 else np.ones(1, np.float32)
    for sign in (1, -1):
        for shrink in steps[:: 1 if sign == 1 else 3]:
            scale = extreme * shrink * sign / widest
            found.append((scale, none))
            values = _values(_nearest(block, grid, scale, none), grid, np.ones_like(none), none)
            top, under = (block * values) @ weight, (values * values) @ weight
            found.append((top / np.where(under > 0, under, 1), none))
    return found


def _fitted(block: Array, whole: Array, weight: Array) -> tuple[Array, Array]:
    """Return the scale and minimum with the least weighted error for whole numbers."""
    total = weight.sum()
    numbers = whole.astype(np.float32)
    mean, level = numbers @ weight / total, block @ weight / total
    off, height = numbers - mean[:, None], block - level[:, None]
    under = (off * off) @ weight
    scale = ((off * height) @ weight) / np.where(under > 0, under, 1)
    return scale, level - scale * mean


def _half(values: Array) -> Array:
    return np.clip(values, -65504, 65504).astype(np.float16).astype(np.float32)


_MIDDLES = (_CODES[1:] + _CODES[:-1]) / 2
_HALVES = np.searchsorted(_MIDDLES, np.arange(-256, 256) / 2 + 0.25).astype(np.int32)
"""The nearest code for each half of a whole number: the middles between codes are such halves."""


def _nearest(block: Array, grid: Grid, scale: Array, least: Array) -> Array:
    inverse = np.where(scale != 0, 1 / np.where(scale != 0, scale, 1), 0).astype(np.float32)
    place = (block - least[:, None]) * inverse[:, None]
    if grid.coded:
        return _HALVES[np.clip(np.floor(place * 2), -256, 255).astype(np.int32) + 256]
    return np.clip(np.rint(place), grid.low, grid.high).astype(np.int32)


def _values(whole: Array, grid: Grid, scale: Array, least: Array) -> Array:
    numbers = _CODES[whole] if grid.coded else whole.astype(np.float32)
    return numbers * scale[:, None] + least[:, None]


def pack(whole: Array, grid: Grid, scale: Array, least: Array) -> Array:
    """Return a block of each row as ggml's bytes."""
    parts: list[Array] = [scale.astype("<f2")[:, None].view(np.uint8)]
    if grid.minimum:
        parts.append(least.astype("<f2")[:, None].view(np.uint8))
    if grid.high > 100:
        return np.concatenate([*parts, whole.astype(np.int8).view(np.uint8)], 1)
    codes = (whole - grid.low).astype(np.uint8)
    if grid.high - grid.low == 31:
        parts.append(np.packbits(codes >> 4, axis=1, bitorder="little"))
    low = codes & 15
    parts.append(low[:, :16] | low[:, 16:] << 4)
    return np.concatenate(parts, 1)
