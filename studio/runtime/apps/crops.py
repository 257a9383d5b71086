"""Parts of pictures: upright boxes, and tilted ones set upright."""

from __future__ import annotations

from typing import Optional

import numpy as np

from .items import Objects
from .perspective import set_upright

_BLURRED = 12
_LEAST_CELL = 4
"""Columns of an object after blurring: no face and no number can be read."""

_SMALL = 32
"""Columns and rows of the picture by which two crops are compared."""

_TALL = 1.5
"""A tilted box higher than that many times its width is a line of text from top to bottom."""


def crop_of(objects: Objects, number: int, margin: float = 0.0) -> Optional[np.ndarray]:
    """Return the picture of one object, height x width x 3; None where it has no pixels.

    Args:
        margin: Share of its height that is added on each side of an upright box.
    """
    if objects.outlines is not None:
        return _upright(objects.pixels, objects.outlines[number])
    height, width = objects.pixels.shape[:2]
    left, top, right, bottom = np.nan_to_num(objects.corners[number]).tolist()
    more = margin * max(0.0, bottom - top)
    rows = slice(max(0, int(top - more)), min(height, int(np.ceil(bottom + more))))
    columns = slice(max(0, int(left - more)), min(width, int(np.ceil(right + more))))
    found = objects.pixels[rows, columns]
    return found if found.shape[0] > 0 and found.shape[1] > 0 else None


def _upright(pixels: np.ndarray, outline: np.ndarray) -> Optional[np.ndarray]:
    """Return a tilted box as an upright picture; a tall one is turned by a quarter.

    Args:
        outline: Its corners from the top left, clockwise, 4 x 2.
    """
    if not np.isfinite(outline).all():
        return None
    # Whole pixels, as recognisers of text were trained and measured with (PaddleOCR).
    outline = outline.round().clip(0, [pixels.shape[1] - 1, pixels.shape[0] - 1])
    sides = np.linalg.norm(outline - np.roll(outline, -1, axis=0), axis=1)
    width, height = int(max(sides[0], sides[2])), int(max(sides[1], sides[3]))
    if width < 1 or height < 1:
        return None
    found = set_upright(pixels, outline, width, height)
    if found is None:
        return None
    return np.rot90(found) if height >= _TALL * width else found


def likeness(pixels: np.ndarray) -> np.ndarray:
    """Return a small grey picture by which two pictures of one place are compared, from 0 to 1."""
    rows = np.linspace(0, pixels.shape[0] - 1, _SMALL).astype(int)
    columns = np.linspace(0, pixels.shape[1] - 1, _SMALL).astype(int)
    found: np.ndarray = pixels[np.ix_(rows, columns)].mean(axis=2) / 255.0
    return found


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Return how much two small pictures differ: the mean of the tenth that differs most.

    The mean of all pixels would hide a changed digit of a label. A change of the light shifts all
    pixels, and is taken out.
    """
    gaps = np.abs((one - one.mean()) - (other - other.mean())).ravel()
    return float(np.sort(gaps)[-max(1, gaps.size // 10) :].mean())


def blurred(pixels: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return a picture in which some places are averaged until nothing in them can be recognised.

    Args:
        pixels: Height x width x 3, uint8.
        corners: Left, top, right, bottom of each place, n x 4.
    """
    found = pixels.copy()
    height, width = pixels.shape[:2]
    for left, top, right, bottom in np.nan_to_num(corners).tolist():
        x, y = max(0, int(left)), max(0, int(top))
        part = found[y : min(height, int(bottom) + 1), x : min(width, int(right) + 1)]
        size = max(_LEAST_CELL, -(-part.shape[1] // _BLURRED))
        for row in range(0, part.shape[0], size):
            for column in range(0, part.shape[1], size):
                cell = part[row : row + size, column : column + size]
                cell[:] = cell.mean(axis=(0, 1))
    return found
