"""Masks and maps of classes as tinted pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy
from PySide6.QtGui import QColor, QImage

_OPACITY = 115
_MOST_CELLS = 4096 * 4096


def mask_image(mask: Mapping[str, Any], color: QColor) -> QImage | None:
    """Return the mask of an object in a colour; None where its runs do not fill it."""
    runs = numpy.array(mask["runs"], dtype=numpy.int64)
    cells = _cells(numpy.arange(len(runs)) % 2, runs, mask)
    return None if cells is None else _tint(cells == 1, color)


def class_images(found: Mapping[str, Any], colors: Sequence[str]) -> Iterator[QImage]:
    """Yield a picture of each class of a map but the first; none where its runs do not fill it."""
    pairs = numpy.array(found["runs"], dtype=numpy.int64).reshape(-1, 2)
    cells = _cells(pairs[:, 0], pairs[:, 1], found)
    if cells is None:
        return
    for index in numpy.unique(cells).tolist():
        if index:
            yield _tint(cells == index, QColor(colors[index % len(colors)]))


def _cells(
    values: numpy.ndarray, lengths: numpy.ndarray, shape: Mapping[str, Any]
) -> numpy.ndarray | None:
    """Return cells of run lengths, height x width; None where these do not fill them."""
    height, width = int(shape["height"]), int(shape["width"])
    fits = len(lengths) and lengths.min() >= 0 and lengths.sum() == height * width
    if not fits or height * width > _MOST_CELLS:
        return None
    return numpy.repeat(values, lengths).reshape(height, width)


def _tint(inside: numpy.ndarray, color: QColor) -> QImage:
    """Return a picture of one colour that is seen inside of a mask."""
    pixels = numpy.zeros((*inside.shape, 4), numpy.uint8)
    pixels[inside] = (color.red(), color.green(), color.blue(), _OPACITY)
    height, width = inside.shape
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
    return image.copy()  # the array goes
