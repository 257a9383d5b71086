"""Resizing as two matrix products, so that every runtime computes the same pixels.

Image libraries disagree on what "bilinear" means. Here it is written out: pixel centres lie at
half coordinates, edges are repeated, and with antialiasing the triangle widens by the reduction.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

Pixels = NDArray[numpy.float32]
"""Height × width × channels."""


def resize(pixels: Pixels, height: int, width: int, *, antialias: bool) -> Pixels:
    """Resize bilinearly.

    Args:
        antialias: Average over the pixels that fall together when an image is reduced (as Pillow
            does); without it only the two nearest pixels count (as OpenCV's INTER_LINEAR does).
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    rows = weights(pixels.shape[0], height, antialias=antialias)
    columns = weights(pixels.shape[1], width, antialias=antialias)
    shrunk = numpy.tensordot(rows, pixels, axes=(1, 0))
    return numpy.ascontiguousarray(
        numpy.tensordot(shrunk, columns, axes=(1, 1)).transpose(0, 2, 1), dtype=numpy.float32
    )


def weights(source: int, target: int, *, antialias: bool) -> NDArray[numpy.float32]:
    """The matrix (target × source) whose row i says how pixel i is mixed from the source."""
    ratio = source / target
    reach = max(ratio, 1.0) if antialias else 1.0
    centres = (numpy.arange(target) + 0.5) * ratio - 0.5
    if not antialias:
        centres = centres.clip(0, source - 1)
    distance = numpy.abs(centres[:, None] - numpy.arange(source)[None, :])
    mix = (1 - distance / reach).clip(0)
    rows: NDArray[numpy.float32] = (mix / mix.sum(axis=1, keepdims=True)).astype(numpy.float32)
    return rows
