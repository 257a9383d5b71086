"""Digital damage of pictures: contrast, JPEG, coarse pixels, elastic distortion."""

from __future__ import annotations

import io

import numpy
from numpy.random import Generator

from studio.features.evidence.robustness.blur import bell, convolved
from studio.features.evidence.robustness.noise import Pixels
from studio.features.evidence.robustness.weather import sampled

_CONTRAST = (0.4, 0.3, 0.2, 0.1, 0.05)
_JPEG = (25, 18, 15, 10, 7)
_PIXELATE = (0.6, 0.5, 0.4, 0.3, 0.25)
_ELASTIC = (0.006, 0.01, 0.014, 0.02, 0.028)
"""Typical displacement as a share of the shorter side."""

_SMOOTH = 0.04
"""Smoothness of the displacement, likewise."""


def contrast(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Move all values toward their mean."""
    mean = pixels.mean(axis=(0, 1), keepdims=True)
    return numpy.asarray((pixels - mean) * _CONTRAST[level] + mean, numpy.float64)


def jpeg(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Compress strongly and read again."""
    import PIL.Image

    whole = (pixels.clip(0, 1) * 255).round().astype(numpy.uint8)
    parts = [whole] if whole.shape[2] == 3 else [whole[:, :, [k]] for k in range(whole.shape[2])]
    found = []
    for part in parts:
        stream = io.BytesIO()
        PIL.Image.fromarray(part.squeeze(2) if part.shape[2] == 1 else part).save(
            stream, "JPEG", quality=_JPEG[level]
        )
        found.append(numpy.atleast_3d(numpy.asarray(PIL.Image.open(stream))))
    return numpy.concatenate(found, axis=2).astype(numpy.float64) / 255


def pixelate(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Keep fewer pixels: each becomes a block."""
    height, width = pixels.shape[:2]
    rows = _blocks(height, _PIXELATE[level])
    columns = _blocks(width, _PIXELATE[level])
    sums = numpy.add.reduceat(numpy.add.reduceat(pixels, rows, axis=0), columns, axis=1)
    tall, wide = numpy.diff([*rows, height]), numpy.diff([*columns, width])
    means = sums / (tall[:, None] * wide[None, :])[:, :, None]
    return numpy.repeat(numpy.repeat(means, tall, axis=0), wide, axis=1)


def _blocks(size: int, share: float) -> list[int]:
    """Return where each block begins."""
    count = max(1, round(size * share))
    return [size * index // count for index in range(count)]


def elastic(pixels: Pixels, level: int, random: Generator) -> Pixels:
    """Shift the pixels along a smooth random field, as stretched paper does.

    After Simard, Steinkraus and Platt, "Best practices for convolutional neural networks" (2003).
    """
    height, width = pixels.shape[:2]
    side = min(height, width)
    fields = convolved(random.uniform(-1, 1, (height, width, 2)), bell(max(0.7, _SMOOTH * side)))
    spread = max(float(fields.std()), 1e-9)
    fields *= _ELASTIC[level] * side / spread
    down, right = numpy.mgrid[0:height, 0:width].astype(numpy.float64)
    return sampled(pixels, down + fields[:, :, 0], right + fields[:, :, 1])
