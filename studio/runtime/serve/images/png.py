"""A PNG decoder in numpy and zlib, for targets without Pillow.

It gives the pixels that the studio gets from Pillow: eight bits a channel, transparent parts on
white. Filters are undone along diagonals: the pixels of one depend only on the two before, so
each is one vector operation over all rows that it crosses.
"""

from __future__ import annotations

import struct
import zlib
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from ..http.message import Body
from .signatures import PNG as SIGNATURE

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_ADAM7 = (
    (0, 0, 8, 8),
    (0, 4, 8, 8),
    (4, 0, 8, 4),
    (0, 2, 4, 4),
    (2, 0, 4, 2),
    (0, 1, 2, 2),
    (1, 0, 2, 1),
)
"""First row, first column, step of rows, step of columns of each pass of an interlaced picture."""


class DamagedPicture(ValueError):
    """Bytes that are not the picture they claim to be, in one sentence."""


class UnsupportedPicture(ValueError):
    """A picture of a kind that is not read here, in one sentence."""


class Header(NamedTuple):
    """Header of a PNG: the content of its first chunk."""

    width: int
    height: int
    depth: int
    color: int
    interlaced: bool


def header_of(data: Body) -> Header:
    """Size and kind of a picture, without unpacking anything.

    Raises:
        DamagedPicture: when it is not a PNG.
    """
    if bytes(data[:8]) != SIGNATURE or len(data) < 33 or bytes(data[12:16]) != b"IHDR":
        raise DamagedPicture("The picture is not a PNG.")
    width, height, depth, color, method, filters, interlace = struct.unpack(
        ">IIBBBBB", bytes(data[16:29])
    )
    sizes = 0 < width < 1 << 31 and 0 < height < 1 << 31
    if not sizes or depth not in _DEPTHS.get(color, ()) or method or filters or interlace > 1:
        raise DamagedPicture("The header of the PNG makes no sense.")
    return Header(width, height, depth, color, interlace == 1)


def decode(data: Body) -> np.ndarray:
    """Return the pixels (height x width x 3, RGB); the caller has checked the size before.

    Raises:
        DamagedPicture: when the bytes do not hold the picture.
        UnsupportedPicture: when it is to be turned, which is left to Pillow.
    """
    header = header_of(data)
    chunks = _chunks(data)
    if b"eXIf" in chunks:
        raise UnsupportedPicture("A PNG with Exif data can be read only where Pillow is installed.")
    samples = _samples(header, b"".join(chunks.get(b"IDAT", [])))
    palette = b"".join(chunks.get(b"PLTE", []))
    transparent = b"".join(chunks.get(b"tRNS", []))
    return _rgb(header, samples, palette, transparent)


def _chunks(data: Body) -> Dict[bytes, List[bytes]]:
    """Contents of the chunks by their type."""
    found: Dict[bytes, List[bytes]] = {}
    offset = 8
    while offset + 12 <= len(data):
        size, kind = struct.unpack(">I4s", bytes(data[offset : offset + 8]))
        end = offset + 8 + size
        if end + 4 > len(data):
            break
        content = bytes(data[offset + 8 : end])
        if zlib.crc32(kind + content) != struct.unpack(">I", bytes(data[end : end + 4]))[0]:
            raise DamagedPicture("A part of the PNG has the wrong checksum.")
        if kind == b"IEND":
            return found
        found.setdefault(kind, []).append(content)
        offset = end + 4
    raise DamagedPicture("The PNG ends too early.")


def _samples(header: Header, packed: bytes) -> np.ndarray:
    """Return the stored numbers (height x width x channels), of 8 or 16 bits."""
    passes = list(_passes(header))
    sizes = [height * (1 + _row_bytes(header, width)) for _, height, width in passes]
    total = sum(sizes)
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(packed, total + 1)  # never more than the header announces
    except zlib.error:
        raise DamagedPicture("The compressed pixels of the PNG are damaged.") from None
    if len(raw) < total:
        raise DamagedPicture("The PNG has fewer pixels than its header says.")
    shape = (header.height, header.width, _CHANNELS[header.color])
    picture = np.zeros(shape, np.uint16 if header.depth == 16 else np.uint8)
    offset = 0
    for (place, height, width), size in zip(passes, sizes):
        part = np.frombuffer(raw, np.uint8, size, offset).reshape(height, -1)
        offset += size
        picture[place] = _unpacked(header, _unfiltered(header, part), width)
    return picture


_Pass = Tuple[Tuple[slice, slice], int, int]


def _passes(header: Header) -> Iterator[_Pass]:
    """Where the pixels of each pass lie, and how many rows and columns it has."""
    whole = ((0, 0, 1, 1),)
    for top, left, rows, columns in _ADAM7 if header.interlaced else whole:
        height = (header.height - top + rows - 1) // rows
        width = (header.width - left + columns - 1) // columns
        if height > 0 and width > 0:
            yield (slice(top, None, rows), slice(left, None, columns)), height, width


def _row_bytes(header: Header, width: int) -> int:
    return (width * header.depth * _CHANNELS[header.color] + 7) // 8


def _unfiltered(header: Header, part: np.ndarray) -> np.ndarray:
    """Return the bytes of the rows (height x bytes of a row) with the filters undone."""
    kinds = part[:, 0]
    if kinds.max() > 4:
        raise DamagedPicture("The PNG uses a filter that does not exist.")
    step = max(1, header.depth * _CHANNELS[header.color] // 8)
    filtered = part[:, 1:].reshape(len(part), -1, step)
    if not kinds.any():
        return part[:, 1:]
    height, width = filtered.shape[:2]
    # One row above and one pixel to the left of zeros; int16 holds what the predictors need.
    out = np.zeros((height + 1, width + 1, step), np.int16)
    given, done = filtered.reshape(-1, step), out.reshape(-1, step)
    for diagonal in range(width + height - 1):
        first, last = max(0, diagonal - width + 1), min(height, diagonal + 1)
        count = last - first
        column = diagonal - first
        above = first * (width + 1) + column + 1  # place of the pixel above the first one
        up, corner, left, target = (
            done[place::width][:count]
            for place in (above, above - 1, above + width, above + width + 1)
        )
        value = given[first * width + column :: max(1, width - 1)][:count]
        target[:] = (value + _predicted(kinds[first:last], left, up, corner)) & 255
    return out[1:, 1:].astype(np.uint8).reshape(height, -1)


def _predicted(
    kinds: np.ndarray, left: np.ndarray, up: np.ndarray, corner: np.ndarray
) -> np.ndarray:
    """Return the pixels that the filter of each row predicts from their neighbours."""
    kinds = kinds[:, None]
    found = np.where(kinds == 2, up, np.where(kinds == 1, left, np.int16(0)))
    if (kinds > 2).any():
        found = np.where(kinds == 3, (left + up) >> 1, found)
        found = np.where(kinds == 4, _paeth(left, up, corner), found)
    return found


def _paeth(left: np.ndarray, up: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Return the neighbour that is nearest to left + up - corner; ties go in that order."""
    to_left, to_up = np.abs(up - corner), np.abs(left - corner)
    to_corner = np.abs(left + up - 2 * corner)
    nearest = np.where(to_up <= to_corner, up, corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, nearest)


def _unpacked(header: Header, rows: np.ndarray, width: int) -> np.ndarray:
    """Bytes of rows to samples."""
    channels = _CHANNELS[header.color]
    if header.depth == 16:
        words = np.ascontiguousarray(rows).view(">u2")
        return words.reshape(len(rows), width, channels).astype(np.uint16)
    if header.depth < 8:
        bits = np.unpackbits(rows, axis=1).reshape(len(rows), -1, header.depth)
        weights = (1 << np.arange(header.depth - 1, -1, -1)).astype(np.uint8)
        rows = (bits * weights).sum(axis=2, dtype=np.uint8)[:, :width]
    return rows.reshape(len(rows), width, channels)


def _rgb(header: Header, samples: np.ndarray, palette: bytes, transparent: bytes) -> np.ndarray:
    if header.color == 3:
        return _looked_up(samples[:, :, 0], palette, transparent)
    key = _key(header, transparent)
    see_through = None if key is None else (samples == key).all(axis=2)
    samples = _eight_bits(header, samples)
    if header.color in (4, 6):
        alpha = samples[:, :, -1]
        samples = samples[:, :, :-1]
    elif see_through is not None:
        alpha = np.where(see_through, 0, 255).astype(np.uint8)
    else:
        return np.ascontiguousarray(np.broadcast_to(samples, (*samples.shape[:2], 3)))
    return _on_white(np.broadcast_to(samples, (*samples.shape[:2], 3)), alpha)


def _key(header: Header, transparent: bytes) -> Optional[np.ndarray]:
    """Return the transparent colour; Pillow drops that of a 16-bit grey picture, and so do we."""
    channels = _CHANNELS[header.color]
    if header.color not in (0, 2) or len(transparent) < 2 * channels:
        return None
    if header.color == 0 and header.depth == 16:
        return None
    return np.frombuffer(transparent, ">u2", channels)


def _eight_bits(header: Header, samples: np.ndarray) -> np.ndarray:
    if header.depth == 16 and header.color == 0:
        grey: np.ndarray = (samples.astype(np.float32) / 257).round().astype(np.uint8)
        return grey
    if header.depth == 16:
        return (samples >> 8).astype(np.uint8)
    return samples * np.uint8(255 // ((1 << header.depth) - 1))


def _looked_up(indices: np.ndarray, palette: bytes, transparent: bytes) -> np.ndarray:
    colors = np.zeros((256, 3), np.uint8)
    known = len(palette) // 3
    if not known or known > 256:
        raise DamagedPicture("The palette of the PNG is missing or too long.")
    colors[:known] = np.frombuffer(palette, np.uint8, known * 3).reshape(-1, 3)
    found: np.ndarray = colors[indices]
    if not transparent:
        return found
    alpha = np.full(256, 255, np.uint8)
    alpha[: len(transparent)] = np.frombuffer(transparent[:256], np.uint8)
    return _on_white(found, alpha[indices])


def _on_white(colors: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Composed over white in Pillow's fixed-point arithmetic."""
    weight = alpha.astype(np.uint32)[:, :, None] << 7
    mixed = colors * weight + 255 * ((255 << 7) - weight) + (0x80 << 7)
    page: np.ndarray = ((((mixed >> 8) + mixed) >> 8) >> 7).astype(np.uint8)
    return page
