"""Own rounding of weights into blocks of 32: scales by search, errors carried to later columns.

Columns are rounded in order, and errors are carried by the Cholesky factor of the inverse of the
inputs' products: GPTQ (Frantar et al., 2022). The blocks are ggml's.
"""

from __future__ import annotations

import numpy as np

from studio_llama_cpp.tool_blocks import BLOCK, CODES, Codes, Grid, half, nearest, values
from studio_llama_cpp.tool_descent import improved
from studio_llama_cpp.tool_library import Array, Library
from studio_llama_cpp.tool_weighing import Weighing

_SHRINKS = np.linspace(0.7, 1.05, 11, dtype=np.float32)


def rounded(weights: Array, grid: Grid, weighed: Weighing) -> tuple[Array, Array]:
    """Round weights (rows, columns): errors carried on, then codes and scales improved.

    Returns:
        The blocks as bytes (rows, bytes), and their values.
    """
    plain = np.ascontiguousarray(weights, np.float32)
    codes = improved(plain, carried_codes(plain, grid, weighed.upper), grid, weighed.products)
    return codes.packed(grid), codes.values(grid)


def carried_codes(weights: Array, grid: Grid, upper: Array) -> Codes:
    """Round column by column, carrying each error to the columns behind it."""
    left = weights.copy()
    codes = Codes.empty(*left.shape)
    for number in range(left.shape[1] // BLOCK):
        start, end = number * BLOCK, (number + 1) * BLOCK
        square = upper[start:end, start:end]
        block = left[:, start:end]
        scale, least = scales(block, grid, 1 / np.diag(square) ** 2)
        codes.scale[:, number], codes.least[:, number] = scale, least
        errors = np.empty((len(left), BLOCK), np.float32)
        for place in range(BLOCK):
            column = block[:, place : place + 1]
            whole = nearest(column, grid, scale, least)
            codes.whole[:, start + place] = whole[:, 0]
            gap = column - values(whole, grid, scale, least)
            errors[:, place] = gap[:, 0] / square[place, place]
            block[:, place + 1 :] -= errors[:, place : place + 1] * square[place, place + 1 :]
        left[:, end:] -= errors @ upper[start:end, end:]
    return codes


def carried(
    weights: Array, number: int, weighed: Weighing, library: Library
) -> tuple[Array, Array]:
    """Round weights with llama.cpp's own rounding, carrying errors from block to block."""
    left = np.ascontiguousarray(weights, np.float32).copy()
    whole, parts = np.empty_like(left), []
    importance, upper = np.diag(weighed.products), weighed.upper
    size = library.block(number)[0]
    for start in range(0, left.shape[1], size):
        end = start + size
        blocks = library.round(left[:, start:end], number, importance[start:end])
        whole[:, start:end] = library.widen(blocks, number, (len(left), size))
        gap = left[:, start:end] - whole[:, start:end]
        # The errors that triangular substitution would have left in each column.
        errors = np.linalg.solve(upper[start:end, start:end].T, gap.T).T
        left[:, end:] -= errors @ upper[start:end, end:]
        parts.append(blocks)
    return np.concatenate(parts, 1), whole


def scales(block: Array, grid: Grid, weight: Array) -> tuple[Array, Array]:
    """Return scale and minimum of each row of a block, with the least weighted squared error."""
    best = np.full(len(block), np.inf, np.float32)
    scale, least = np.zeros((2, len(block)), np.float32)
    for tried, low in _candidates(block, grid, weight):
        tried, low = half(tried), half(low)
        whole = nearest(block, grid, tried, low)
        gap = values(whole, grid, tried, low) - block
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
            found.append(_fitted(block, nearest(block, grid, scale, least), weight))
        return found
    extreme = np.take_along_axis(block, np.abs(block).argmax(1)[:, None], 1)[:, 0]
    found = []
    widest = CODES[0] if grid.coded else float(grid.low)
    steps = _SHRINKS if grid.high < 100 else np.ones(1, np.float32)
    for sign in (1, -1):
        for shrink in steps[:: 1 if sign == 1 else 3]:
            scale = extreme * shrink * sign / widest
            found.append((scale, none))
            units = values(nearest(block, grid, scale, none), grid, np.ones_like(none), none)
            top, under = (block * units) @ weight, (units * units) @ weight
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
