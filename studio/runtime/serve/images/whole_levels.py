"""Bilinear resizing of bytes in whole numbers, bit by bit as OpenCV does it.

Many models were trained on pictures that ``cv2.resize`` had made of bytes. It weighs in steps of
1/2048 and drops digits on its path. So a result is up to one level from the exact one, rounded.
"""

from __future__ import annotations

from typing import Tuple

import numpy as np

_STEPS = 2048
"""Of a weight: 11 binary digits."""


def to_levels(pixels: np.ndarray) -> np.ndarray:
    """Return pixels from 0 to 255 as uint8, rounded."""
    if pixels.dtype == np.uint8:
        return pixels
    found: np.ndarray = pixels.round().clip(0, 255).astype(np.uint8)
    return found


def resize_levels(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize as OpenCV's INTER_LINEAR does, without an average where the picture shrinks.

    Args:
        pixels: Height x width x channels, uint8; returned as it is where it has the wanted size.

    Returns:
        The picture, uint8.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    left, right, mix = _neighbours(pixels.shape[1], width)
    # At the left and right edge the outer neighbour does not count; above and below it does,
    # which makes a difference where digits are dropped for each of the two.
    mix[(left < 0) | (right >= pixels.shape[1])] = 0
    left, right = (one.clip(0, pixels.shape[1] - 1) for one in (left, right))
    upper, lower, share = _neighbours(pixels.shape[0], height)
    upper, lower = (one.clip(0, pixels.shape[0] - 1) for one in (upper, lower))
    shares = _weights(share, (-1, 1, 1))
    columns = _weights(mix, (1, -1, 1))
    source = pixels.astype(np.int32)
    rows = source[:, left] * columns[0]
    rows += source[:, right] * columns[1]
    rows >>= 4
    found: np.ndarray = (rows[upper] * shares[0]) >> 16
    found += (rows[lower] * shares[1]) >> 16
    found += 2
    found >>= 2
    levels: np.ndarray = found.astype(np.uint8)
    return levels


def _neighbours(source: int, target: int) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return both neighbours of each place, which may lie outside, and the share of the second."""
    places = ((np.arange(target) + 0.5) * (source / target) - 0.5).astype(np.float32)
    first = np.floor(places)
    return first.astype(np.intp), first.astype(np.intp) + 1, places - first


def _weights(share: np.ndarray, shape: Tuple[int, int, int]) -> Tuple[np.ndarray, np.ndarray]:
    """Return the weights of both neighbours in whole steps."""
    first, second = (np.rint(one * np.float32(_STEPS)) for one in (1 - share, share))
    return first.astype(np.int32).reshape(shape), second.astype(np.int32).reshape(shape)
