"""Tilted boxes of pictures set upright: bicubic, with edges that are repeated."""

from __future__ import annotations

from typing import List, Optional

import numpy as np

_SHARPNESS = -0.75
"""Of the cubic by Keys, 1981: the value that OpenCV has."""

_TAPS = 4


def set_upright(
    pixels: np.ndarray, outline: np.ndarray, width: int, height: int
) -> Optional[np.ndarray]:
    """Return a quadrangle of a picture as an upright one; None where it has no area.

    OpenCV does it where it is installed. Its version 5 and numpy give equal pixels up to one level
    in a thousand of them.

    Args:
        pixels: Height x width x channels, uint8.
        outline: Corners (x, y) from the top left, clockwise, 4 x 2.
        width, height: Of the result.
    """
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    try:
        import cv2
    except ImportError:
        matrix = _matrix(corners, outline.astype(np.float64))
        return None if matrix is None else _warped(pixels, matrix, width, height)
    found: np.ndarray = cv2.warpPerspective(
        pixels,
        cv2.getPerspectiveTransform(outline.astype(np.float32), corners.astype(np.float32)),
        (width, height),
        borderMode=cv2.BORDER_REPLICATE,
        flags=cv2.INTER_CUBIC,
    )
    return found


def _matrix(source: np.ndarray, target: np.ndarray) -> Optional[np.ndarray]:
    """Return the projection, 3 x 3, that moves four points; None where three are in one line."""
    rows = []
    for (x, y), (u, v) in zip(source, target):
        rows.append([x, y, 1, 0, 0, 0, -x * u, -y * u])
        rows.append([0, 0, 0, x, y, 1, -x * v, -y * v])
    try:
        found = np.linalg.solve(np.array(rows), target.reshape(-1))
    except np.linalg.LinAlgError:
        return None
    return np.append(found, 1.0).reshape(3, 3)


def _warped(pixels: np.ndarray, matrix: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a picture whose pixels are taken from where a projection moves them."""
    places = np.stack([*np.meshgrid(np.arange(width), np.arange(height)), np.ones((height, width))])
    moved = np.tensordot(matrix, places, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = np.nan_to_num(moved[:2] / moved[2]).clip(-1e6, 1e6)
    across, down = _weights(x - np.floor(x)), _weights(y - np.floor(y))
    columns, rows = np.floor(x).astype(np.intp) - 1, np.floor(y).astype(np.intp) - 1
    found = np.zeros((height, width, pixels.shape[2]))
    for row in range(_TAPS):
        at = (rows + row).clip(0, pixels.shape[0] - 1)
        for column in range(_TAPS):
            near = pixels[at, (columns + column).clip(0, pixels.shape[1] - 1)]
            found += near * (down[row] * across[column])[:, :, None]
    return found.round().clip(0, 255).astype(np.uint8)


def _weights(share: np.ndarray) -> List[np.ndarray]:
    """Return the weights of four neighbours, of which the second is before a place."""
    a, rest = _SHARPNESS, 1 - share
    first = ((a * (share + 1) - 5 * a) * (share + 1) + 8 * a) * (share + 1) - 4 * a
    second = ((a + 2) * share - (a + 3)) * share * share + 1
    third = ((a + 2) * rest - (a + 3)) * rest * rest + 1
    return [first, second, third, 1 - first - second - third]
