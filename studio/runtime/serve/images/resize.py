"""Bilinear resizing as products with small matrices: every runtime computes the same pixels.

Image libraries disagree on what "bilinear" means. Here it is written out: pixel centres lie at
half coordinates, edges are repeated, and with antialiasing the triangle widens by the reduction.

A row of the result is mixed from a few neighbouring rows of the source. So a matrix is made for a
few rows of the result at a time and has columns for these neighbours alone: one for the whole
picture would have a column for each row of the source, gigabytes of zeros for a long one.
"""

from __future__ import annotations

import os
from typing import Protocol, Tuple

import numpy as np

from .whole_levels import resize_levels, to_levels

_ROWS = 8
"""Of the result that are mixed by one matrix."""


class Resizer(Protocol):
    """Bilinear resizing, as ``resize`` does it."""

    def __call__(
        self, pixels: np.ndarray, height: int, width: int, *, antialias: bool, whole: bool = False
    ) -> np.ndarray:
        """Return the picture in another size, float32; uint8 where ``whole`` levels are wanted."""


def resize(
    pixels: np.ndarray, height: int, width: int, *, antialias: bool, whole: bool = False
) -> np.ndarray:
    """Resize bilinearly.

    Args:
        pixels: Height x width x channels, float32 or uint8; returned as it is where it has the
            wanted size.
        antialias: Average over the pixels that fall together in a reduction, as Pillow does.
            Without it only the two nearest pixels count, as with OpenCV's INTER_LINEAR.
        whole: Give whole levels, uint8, as OpenCV does for pictures of bytes.

    Returns:
        The picture, float32 or uint8.
    """
    if whole:
        levels = to_levels(pixels)
        if not antialias:
            return resize_levels(levels, height, width)
        return to_levels(resize(levels, height, width, antialias=True))
    rows, columns = pixels.shape[:2]
    if (rows, columns) == (height, width):
        return pixels
    if height * columns <= rows * width:  # what lies between the two steps is kept small
        return np.ascontiguousarray(_columns(_rows(pixels, height, antialias), width, antialias))
    return np.ascontiguousarray(_rows(_columns(pixels, width, antialias), height, antialias))


def _columns(pixels: np.ndarray, target: int, antialias: bool) -> np.ndarray:
    return _rows(pixels.swapaxes(0, 1), target, antialias).swapaxes(0, 1)


def _rows(pixels: np.ndarray, target: int, antialias: bool) -> np.ndarray:
    """Resize a picture to a number of rows."""
    source = pixels.shape[0]
    flat = pixels.reshape(source, -1)
    result = np.empty((target, flat.shape[1]), np.float32)
    for begin in range(0, target, _ROWS):
        end = min(begin + _ROWS, target)
        first, matrix = weights(source, target, begin, end, antialias=antialias)
        near = flat[first : first + matrix.shape[1]].astype(np.float32, copy=False)
        np.matmul(matrix, near, out=result[begin:end])
    return result.reshape(target, *pixels.shape[1:])


def weights(
    source: int, target: int, begin: int, end: int, *, antialias: bool
) -> Tuple[int, np.ndarray]:
    """Return how rows ``begin`` to ``end`` of the target are mixed from those of the source.

    Returns:
        The first row of the source that counts, and a matrix: a row for each of the target, a
        column for each that counts of the source.
    """
    ratio = source / target
    reach = max(ratio, 1.0) if antialias else 1.0
    centres = (np.arange(begin, end) + 0.5) * ratio - 0.5
    if not antialias:
        centres = centres.clip(0, source - 1)
    first = max(0, int(np.floor(centres[0] - reach)))
    last = min(source, int(np.ceil(centres[-1] + reach)) + 1)
    distance = np.abs(centres[:, None] - np.arange(first, last)[None, :])
    mix = (1 - distance / reach).clip(0)
    return first, (mix / mix.sum(axis=1, keepdims=True)).astype(np.float32)


def quick_resizer() -> Resizer:
    """Return OpenCV's resizing where it is installed: the same pixels, some 20 times as fast."""
    # Of the pictures that apps decode, too: OpenCV reads the limit once, as it is loaded.
    os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", "64000000")
    try:
        import cv2
    except ImportError:
        return resize

    def with_opencv(
        pixels: np.ndarray, height: int, width: int, *, antialias: bool, whole: bool = False
    ) -> np.ndarray:
        shrinks = height < pixels.shape[0] or width < pixels.shape[1]
        same = pixels.shape[:2] == (height, width)
        if (antialias and (shrinks or whole)) or same:
            return resize(pixels, height, width, antialias=antialias, whole=whole)
        source = to_levels(pixels) if whole else pixels.astype(np.float32, copy=False)
        found = cv2.resize(source, (width, height))
        return found.reshape(height, width, -1)  # of one channel it drops the axis

    return with_opencv
