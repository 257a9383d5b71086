"""The studio's bilinear resizing, operation by operation, so that both give the same bits."""

from __future__ import annotations

import numpy as np


def resize(pixels: np.ndarray, height: int, width: int, *, antialias: bool) -> np.ndarray:
    """Resize bilinearly, with pixel centres at half coordinates and repeated edges.

    Args:
        pixels: Height x width x channels, float32.
        antialias: Average over the pixels that fall together when a picture is reduced (as Pillow
            does); without it only the two nearest pixels count (as OpenCV's INTER_LINEAR does).
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    rows = weights(pixels.shape[0], height, antialias=antialias)
    columns = weights(pixels.shape[1], width, antialias=antialias)
    shrunk = np.tensordot(rows, pixels, axes=(1, 0))
    turned = np.tensordot(shrunk, columns, axes=(1, 1)).transpose(0, 2, 1)
    return np.ascontiguousarray(turned, dtype=np.float32)


def weights(source: int, target: int, *, antialias: bool) -> np.ndarray:
    """The matrix (target x source) whose row i says how pixel i is mixed from the source."""
    ratio = source / target
    reach = max(ratio, 1.0) if antialias else 1.0
    centres = (np.arange(target) + 0.5) * ratio - 0.5
    if not antialias:
        centres = centres.clip(0, source - 1)
    distance = np.abs(centres[:, None] - np.arange(source)[None, :])
    mix = (1 - distance / reach).clip(0)
    rows: np.ndarray = (mix / mix.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows
