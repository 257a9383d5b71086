"""Maps as colours: what raises the score in red, what lowers it in blue."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

from studio.api import Array

Pixels = NDArray[numpy.uint8]
RAISES, LOWERS = (207, 58, 43), (35, 104, 224)
"""Red and blue of the palette of reports."""

_STRONGEST = 0.85
"""Opacity of the most important place."""


def scaled(values: Array) -> NDArray[numpy.float64]:
    """Return a map from -1 to 1; the largest absolute value becomes 1."""
    found = values.astype(numpy.float64)
    top = float(numpy.abs(found).max(initial=0))
    return found / top if top else found


def picture_pixels(sample: Array, axes: Sequence[int], blue_first: bool = False) -> Pixels:
    """Return an input picture as pixels, height × width × 3, from its lowest to highest value.

    Args:
        blue_first: Whether the sample has blue, green and red in this order.
    """
    pixels = sample[0].astype(numpy.float64)
    if axes == (2, 3):
        pixels = pixels.transpose(1, 2, 0)
    low, high = float(pixels.min()), float(pixels.max())
    grey = (pixels - low) * (255 / (high - low) if high > low else 0)
    if blue_first:
        grey = grey[:, :, ::-1]
    return numpy.broadcast_to(grey.round(), (*grey.shape[:2], 3)).astype(numpy.uint8)


def overlaid(pixels: Pixels, values: Array) -> Pixels:
    """Return grey pixels with the map over them."""
    grey = pixels.mean(axis=2, keepdims=True) * 0.6 + 90
    shares = scaled(values)
    opacity = numpy.abs(shares)[:, :, None] * _STRONGEST
    colours = numpy.where((shares > 0)[:, :, None], RAISES, LOWERS)
    mixed = grey * (1 - opacity) + colours * opacity
    found: Pixels = mixed.round().clip(0, 255).astype(numpy.uint8)
    return found


def tint(share: float) -> tuple[int, int, int]:
    """Return the colour of one share from -1 to 1 on white."""
    colour = RAISES if share > 0 else LOWERS
    opacity = min(1.0, abs(share)) * _STRONGEST
    red, green, blue = (round(255 * (1 - opacity) + one * opacity) for one in colour)
    return red, green, blue
