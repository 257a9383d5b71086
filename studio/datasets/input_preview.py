"""Inputs of a model in a form that can be shown: a picture, a curve, or a text."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import replace

import numpy
from numpy.typing import NDArray

from studio.api import Array
from studio.datasets.results import DrawnInput

MOST_POINTS = 240
_MOST_SIDE = 320
_LEAST_SIDE = 4
_CHANNELS = (1, 3)


def drawn(feeds: Mapping[str, Array], side: int = _MOST_SIDE) -> DrawnInput:
    """Return the first input that can be drawn, and one line for each.

    Args:
        side: Most pixels of a picture in each direction.
    """
    lines = tuple(_line(name, array) for name, array in feeds.items())
    for array in feeds.values():
        shown = _picture(array, side) or _curve(array)
        if shown is not None:
            return replace(shown, lines=lines)
    return DrawnInput("text", lines=lines)


def _picture(array: Array, side: int) -> DrawnInput | None:
    """Return the array as grey or coloured pixels, from black (lowest) to white (highest)."""
    if array.dtype.kind not in "fiu" or array.ndim != 4 or array.shape[0] != 1:
        return None
    pixels = array[0]
    if pixels.shape[0] in _CHANNELS:
        pixels = pixels.transpose(1, 2, 0)
    if pixels.shape[2] not in _CHANNELS or min(pixels.shape[:2]) < _LEAST_SIDE:
        return None
    values = pixels.astype(numpy.float64)
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255 / (high - low) if high > low else 0)
    return thumbnail(_squeezed(scaled.round().astype(numpy.uint8)), side)


def thumbnail(pixels: NDArray[numpy.uint8], side: int) -> DrawnInput:
    """Return pixels (height × width, or with three channels behind) as a picture of bounded size.

    Args:
        side: Most pixels in each direction.
    """
    import PIL.Image

    image = PIL.Image.fromarray(pixels)
    image.thumbnail((side, side))
    content = io.BytesIO()
    image.save(content, "PNG")
    return DrawnInput("picture", png=base64.b64encode(content.getvalue()).decode("ascii"))


def _squeezed(pixels: NDArray[numpy.uint8]) -> NDArray[numpy.uint8]:
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


def _curve(array: Array) -> DrawnInput | None:
    """Return a series of values with fewer points."""
    if array.dtype.kind not in "fiu" or array.size < _LEAST_SIDE or array.size != max(array.shape):
        return None
    step = -(-array.size // MOST_POINTS)
    values = array.reshape(-1)[::step].astype(numpy.float64)
    return DrawnInput("curve", values=tuple(round(float(value), 6) for value in values))


def _line(name: str, array: Array) -> str:
    shape = "×".join(map(str, array.shape)) or "single value"
    if array.dtype.kind not in "fiub":
        texts = ", ".join(str(item) for item in array.reshape(-1)[:4])
        return f"{name}: {texts}"
    if not array.size:
        return f"{name}: {shape}"
    return f"{name}: {shape}, {float(array.min()):.4g} to {float(array.max()):.4g}"
