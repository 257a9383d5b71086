"""Own codes for llama.cpp's blocks of 256 weights, whose scales llama.cpp finds.

A block has parts of 16 or 32 weights, each with a scale and perhaps a minimum. llama.cpp searches
them for each block as it is after the errors of the blocks in front were carried. The codes are
decided here: column by column with carried errors (GPTQ, Frantar et al., 2022), then each again
with all others given (coordinate descent, QuantEase, Behdin et al., 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from studio_llama_cpp.tool_library import TYPES, Array, Library
from studio_llama_cpp.tool_weighing import Weighing

SUPER = 256
SWEEPS = 3
_CHUNK = 32
"""Columns whose changes are taken from the errors of all others at once."""


class CodeLayout(NamedTuple):
    """The places of codes in a block of a type.

    Attributes:
        codes: Bytes of the codes.
        high: Largest code.
        pack: Returns the bytes of codes (blocks, 256).
    """

    codes: slice
    high: int
    pack: Callable[[Array], Array]


def _four(codes: Array) -> Array:
    """Return the low four bits: two runs of 32 codes share 32 bytes."""
    pairs = (codes & 15).reshape(-1, 4, 2, 32)
    return (pairs[:, :, 0] | pairs[:, :, 1] << 4).reshape(-1, 128)


def _five(codes: Array) -> Array:
    runs = (codes >> 4).reshape(-1, 8, 32)
    fifth = np.packbits(runs, axis=1, bitorder="little")[:, 0]
    return np.concatenate([fifth, _four(codes)], 1)


def _six(codes: Array) -> Array:
    runs = codes.reshape(-1, 2, 4, 32)
    low, top = runs & 15, runs >> 4
    first = (low[:, :, :2] | low[:, :, 2:] << 4).reshape(-1, 128)
    last = top[:, :, 0] | top[:, :, 1] << 2 | top[:, :, 2] << 4 | top[:, :, 3] << 6
    return np.concatenate([first, last.reshape(-1, 64)], 1)


LAYOUTS: Mapping[str, CodeLayout] = {
    "Q4_K": CodeLayout(slice(16, 144), 15, _four),
    "Q5_K": CodeLayout(slice(16, 176), 31, _five),
    "Q6_K": CodeLayout(slice(0, 192), 63, _six),
}


class _Steps(NamedTuple):
    """Scale and minimum of each weight, (rows, columns)."""

    scale: Array
    least: Array

    def nearest(self, column: int, wanted: Array, high: int) -> Array:
        scale = self.scale[:, column]
        place = (wanted - self.least[:, column]) / np.where(scale != 0, scale, 1)
        return np.clip(np.rint(place), 0, high).astype(np.uint8)

    def value(self, column: int, codes: Array) -> Array:
        values: Array = codes * self.scale[:, column] + self.least[:, column]
        return values


def rounded_super(
    weights: Array, kind: str, weighed: Weighing, library: Library
) -> tuple[Array, Array]:
    """Round weights (rows, columns) to a type of ``LAYOUTS``.

    Returns:
        The blocks as bytes (rows, bytes), and their values.
    """
    plain = np.ascontiguousarray(weights, np.float32)
    blocks, codes, steps = _carried(plain, kind, weighed.upper, library)
    _descend(plain, codes, steps, LAYOUTS[kind].high, weighed.products)
    blocks = with_codes(blocks, kind, codes)
    return blocks, library.widen(blocks, TYPES[kind], plain.shape)


def _carried(
    weights: Array, kind: str, upper: Array, library: Library
) -> tuple[Array, Array, _Steps]:
    left, number, high = weights.copy(), TYPES[kind], LAYOUTS[kind].high
    importance = 1 / np.diag(upper) ** 2
    codes = np.empty(left.shape, np.uint8)
    found, parts = _Steps(np.empty_like(left), np.empty_like(left)), []
    for start in range(0, left.shape[1], SUPER):
        end = start + SUPER
        parts.append(library.round(left[:, start:end], number, importance[start:end]))
        found.scale[:, start:end], found.least[:, start:end] = steps_of(parts[-1], kind, library)
        errors = np.empty((len(left), SUPER), np.float32)
        for place in range(start, end):
            codes[:, place] = found.nearest(place, left[:, place], high)
            gap = left[:, place] - found.value(place, codes[:, place])
            errors[:, place - start] = gap / upper[place, place]
            left[:, place:end] -= np.outer(errors[:, place - start], upper[place, place:end])
        left[:, end:] -= errors @ upper[start:end, end:]
    return np.concatenate(parts, 1), codes, found


def steps_of(blocks: Array, kind: str, library: Library) -> tuple[Array, Array]:
    """Return scale and minimum of each weight: what codes of 1 add to those of 0."""
    shape = (len(blocks), SUPER)
    zeros, ones = (
        library.widen(with_codes(blocks, kind, np.full(shape, one, np.uint8)), TYPES[kind], shape)
        for one in (0, 1)
    )
    return ones - zeros, zeros


def _descend(weights: Array, codes: Array, steps: _Steps, high: int, products: Array) -> None:
    """Decide each code again with all others given, so that the outputs differ less."""
    values = codes * steps.scale + steps.least
    gap = (weights - values) @ products
    for _ in range(SWEEPS):
        for start in range(0, weights.shape[1], _CHUNK):
            place = slice(start, start + _CHUNK)
            before, near = values[:, place].copy(), gap[:, place].copy()
            for number, slope in enumerate(products[place, place]):
                column = start + number
                wanted = values[:, column] + near[:, number] / max(float(slope[number]), 1e-30)
                codes[:, column] = steps.nearest(column, wanted, high)
                value = steps.value(column, codes[:, column])
                near -= np.outer(value - values[:, column], slope)
                values[:, column] = value
            gap -= (values[:, place] - before) @ products[place]


def with_codes(blocks: Array, kind: str, codes: Array) -> Array:
    """Return blocks (rows, bytes) with other codes (rows, columns)."""
    layout = LAYOUTS[kind]
    size = blocks.shape[1] * SUPER // codes.shape[1]
    changed = blocks.reshape(-1, size).copy()
    changed[:, layout.codes] = layout.pack(codes.reshape(-1, SUPER))
    return changed.reshape(blocks.shape)
