"""bfloat16, which numpy lacks: arrays of its bits, and the numbers that they encode."""

from __future__ import annotations

import numpy as np


def widened(bits: np.ndarray) -> np.ndarray:
    """Return the numbers (float32, exact) that arrays of bits (uint16) stand for."""
    numbers: np.ndarray = np.left_shift(bits, 16, dtype=np.uint32).view(np.float32)
    return numbers


def narrowed(numbers: np.ndarray) -> np.ndarray:
    """Return the bits of the nearest bfloat16, ties to even; NaN stays NaN.

    Args:
        numbers: float32; others are rounded to it first.
    """
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(numbers, np.float32)
        bits = single.view(np.uint32)
        upper = bits >> np.uint32(16)
        nearest = (bits + np.uint32(0x7FFF) + (upper & np.uint32(1))) >> np.uint32(16)
    # Rounding could make an infinity, or a negative zero, of a not-a-number: it is made quiet.
    found = np.where(np.isnan(single), upper | np.uint32(0x40), nearest)
    return found.astype(np.uint16).reshape(np.shape(numbers))
