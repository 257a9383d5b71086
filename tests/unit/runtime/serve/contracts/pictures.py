"""PNG files of every kind, written byte by byte so that no library decides what they hold."""

from __future__ import annotations

import struct
import zlib

import numpy as np

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = [
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
]


def chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def file(header: bytes, pixels: bytes, *more: bytes) -> bytes:
    """A PNG of these chunks; the pixels in two parts."""
    packed = zlib.compress(pixels)
    parts = [chunk(b"IDAT", packed[:7]), chunk(b"IDAT", packed[7:])]
    body = [chunk(b"IHDR", header), *more, *parts, chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def header(width: int, height: int, depth: int, color: int, interlaced: bool = False) -> bytes:
    return struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))


def png(
    samples: np.ndarray, depth: int, color: int, *more: bytes, interlaced: bool = False
) -> bytes:
    """Samples (height x width x channels) with a filter of each kind in turn."""
    height, width = samples.shape[:2]
    parts = [
        samples[top::rows, left::columns]
        for top, left, rows, columns in (PASSES if interlaced else [(0, 0, 1, 1)])
    ]
    raw = b"".join(filtered(part, depth) for part in parts if part.size)
    return file(header(width, height, depth, color, interlaced), raw, *more)


def filtered(samples: np.ndarray, depth: int) -> bytes:
    step = max(1, depth * samples.shape[2] // 8)
    above = None
    out = []
    for number, row in enumerate(samples):
        plain = packed(row.reshape(-1), depth)
        out.append(filter_row(number % 5, plain, above or bytes(len(plain)), step))
        above = plain
    return b"".join(out)


def packed(values: np.ndarray, depth: int) -> bytes:
    if depth == 16:
        return values.astype(">u2").tobytes()
    if depth == 8:
        return values.astype(np.uint8).tobytes()
    bits = "".join(format(int(value), f"0{depth}b") for value in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[place : place + 8], 2) for place in range(0, len(bits), 8))


def filter_row(kind: int, plain: bytes, above: bytes, step: int) -> bytes:
    left = bytes(step) + plain
    corner = bytes(step) + above
    out = [kind]
    for x, up, a, c in zip(plain, above, left, corner, strict=False):
        out.append((x - (0, a, up, (a + up) // 2, paeth(a, up, c))[kind]) & 255)
    return bytes(out)


def paeth(a: int, b: int, c: int) -> int:
    distances = [(abs(a + b - c - value), place) for place, value in enumerate((a, b, c))]
    return (a, b, c)[min(distances)[1]]
