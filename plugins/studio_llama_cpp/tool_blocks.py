"""Blocks of 32 weights as ggml stores them: whole numbers, a scale and perhaps a minimum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from studio_llama_cpp.tool_library import Array

BLOCK = 32
CODES = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32
)
"""Values of IQ4_NL's sixteen codes."""


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


class Codes(NamedTuple):
    """The rounded weights of a matrix.

    Attributes:
        whole: Whole numbers, (rows, columns).
        scale: Of each block, (rows, blocks), as float16 holds it.
        least: Minimum of each block likewise; zeros for a grid without one.
    """

    whole: Array
    scale: Array
    least: Array

    @classmethod
    def empty(cls, rows: int, columns: int) -> Codes:
        """Return room for the codes of weights."""
        scale, least = np.zeros((2, rows, columns // BLOCK), np.float32)
        return cls(np.zeros((rows, columns), np.int32), scale, least)

    def values(self, grid: Grid) -> Array:
        """Return the weights that they hold."""
        return np.concatenate([values(*part) for part in self._blocks(grid)], 1)

    def packed(self, grid: Grid) -> Array:
        """Return the bytes of all blocks, (rows, bytes)."""
        return np.concatenate([pack(*part) for part in self._blocks(grid)], 1)

    def _blocks(self, grid: Grid) -> list[tuple[Array, Grid, Array, Array]]:
        parts = np.split(self.whole, self.scale.shape[1], 1)
        return [(part, grid, self.scale[:, n], self.least[:, n]) for n, part in enumerate(parts)]


def half(values: Array) -> Array:
    """Return the nearest values of float16."""
    return np.clip(values, -65504, 65504).astype(np.float16).astype(np.float32)


_MIDDLES = (CODES[1:] + CODES[:-1]) / 2
_HALVES = np.searchsorted(_MIDDLES, np.arange(-256, 256) / 2 + 0.25).astype(np.int32)
"""The nearest code for each half of a whole number: the middles between codes are such halves."""


def nearest(block: Array, grid: Grid, scale: Array, least: Array) -> Array:
    """Return the whole numbers of the values closest to a block (rows, columns)."""
    inverse = np.where(scale != 0, 1 / np.where(scale != 0, scale, 1), 0).astype(np.float32)
    place = (block - least[:, None]) * inverse[:, None]
    if grid.coded:
        return _HALVES[np.clip(np.floor(place * 2), -256, 255).astype(np.int32) + 256]
    return np.clip(np.rint(place), grid.low, grid.high).astype(np.int32)


def values(whole: Array, grid: Grid, scale: Array, least: Array) -> Array:
    """Return the values of whole numbers (rows, columns) under a scale and minimum of each row."""
    numbers = CODES[whole] if grid.coded else whole.astype(np.float32)
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
