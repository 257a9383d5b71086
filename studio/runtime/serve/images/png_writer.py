"""A PNG encoder in numpy and zlib."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from .signatures import PNG as SIGNATURE

_SUB = 1
"""The filter of every row: each byte less that of the pixel to its left."""

_LEVEL = 3
"""Of zlib: a third of the time of its default, for some percent more bytes."""


def encode_png(pixels: np.ndarray) -> bytes:
    """Return a picture (height x width x 3, RGB, uint8) as a PNG."""
    height, width = pixels.shape[:2]
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0] = _SUB
    rows[:, 1:4] = pixels[:, 0]
    rows[:, 4:] = (pixels[:, 1:] - pixels[:, :-1]).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(rows.tobytes(), _LEVEL)
    parts = ((b"IHDR", header), (b"IDAT", content), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
