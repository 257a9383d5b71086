"""Better codes and scales for weights that are rounded already, with the same blocks.

When errors are carried from column to column, no code is looked at twice. Here each code is decided
again with all others given: cyclic coordinate descent on the error of the outputs (QuantEase,
Behdin et al., 2023). After the codes of a block, its scale and its minimum take the values with the
least error (alternating least squares). No step makes the error larger.
"""

from __future__ import annotations

import numpy as np

from studio_llama_cpp.tool_blocks import BLOCK, Codes, Grid, half, nearest, values
from studio_llama_cpp.tool_library import Array

SWEEPS = 3


def improved(weights: Array, codes: Codes, grid: Grid, products: Array) -> Codes:
    """Return codes whose outputs differ less from those of the weights.

    Args:
        weights: What was rounded, (rows, columns).
        products: Mean of the inputs' products, (columns, columns).
    """
    found = Codes(*(part.copy() for part in codes))
    gap = (weights - found.values(grid)) @ products
    for _ in range(SWEEPS):
        for number in range(weights.shape[1] // BLOCK):
            place = slice(number * BLOCK, (number + 1) * BLOCK)
            change = _block(found, number, grid, gap[:, place].copy(), products[place, place])
            gap -= change @ products[place]
    return found


def _block(codes: Codes, number: int, grid: Grid, gap: Array, products: Array) -> Array:
    """Decide a block of each row again; return how its values change."""
    whole = codes.whole[:, number * BLOCK : (number + 1) * BLOCK]
    scale, least = codes.scale[:, number], codes.least[:, number]
    before = values(whole, grid, scale, least)
    now = before.copy()
    for column in range(BLOCK):
        slope = max(float(products[column, column]), 1e-30)
        wanted = now[:, column] + gap[:, column] / slope
        whole[:, column] = nearest(wanted[:, None], grid, scale, least)[:, 0]
        value = values(whole[:, column : column + 1], grid, scale, least)[:, 0]
        gap -= np.outer(value - now[:, column], products[column])
        now[:, column] = value
    unit = values(whole, grid, np.ones_like(scale), np.zeros_like(least))
    scale[:] = _moved(scale, unit, gap, products)
    if grid.minimum:
        least[:] = _moved(least, np.ones_like(unit), gap, products)
    return values(whole, grid, scale, least) - before


def _moved(held: Array, unit: Array, gap: Array, products: Array) -> Array:
    """Return the multiple of ``unit`` with the least error, in float16; take it from the gap."""
    slopes = unit @ products
    top, under = np.einsum("ij,ij->i", gap, unit), np.einsum("ij,ij->i", slopes, unit)
    tried = half(held + top / np.where(under > 0, under, 1))
    step = np.where(under > 0, tried - held, 0).astype(np.float32)
    step[step * (step * under - 2 * top) >= 0] = 0
    gap -= step[:, None] * slopes
    return held + step
