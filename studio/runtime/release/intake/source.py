"""Input from the studio on standard input: one line with the request, then files in frames.

A frame is a kind (one byte), a length (four bytes, big endian) and its content. A frame of the
kind ``END`` ends a file. ``SHUFFLED`` holds floats whose bytes were put in planes, the first bytes
of all first: the exponents of weights resemble each other, and so they shrink.
"""

from __future__ import annotations

import os
import select
import struct
import time
import zlib
from collections.abc import Iterator

from ...shared.errors import ReleaseError

HEADER = struct.Struct(">BI")
RAW, DEFLATED, SHUFFLED, END = range(4)
FRAME_BYTES = 1 << 18
"""The most that one frame holds, also when it is unpacked."""

PLANES = 4
SILENCE_S = 60.0
"""Without a byte for this long, whoever sends is gone, whatever the connection says."""

_LINE_BYTES = 64 << 20


class Source:
    """Buffered reader of a descriptor that waits up to ``SILENCE_S`` for each piece."""

    def __init__(self, handle: int = 0) -> None:
        self._handle = handle
        self._buffer = bytearray()
        self._ended = False

    def line(self) -> bytes:
        """Return the bytes up to the first newline, or to the end."""
        seen = 0
        while True:
            end = self._buffer.find(b"\n", seen)
            if end >= 0 or self._ended:
                break
            seen = len(self._buffer)
            if seen > _LINE_BYTES:
                raise ReleaseError("bad-request", "The request is too long.")
            self._fill()
        return self._consume(len(self._buffer) if end < 0 else end + 1)

    def file(self) -> Iterator[bytes]:
        """Yield the content of the next file, in pieces.

        Raises:
            ReleaseError: when the connection ends in the midst of it, or a frame is malformed.
        """
        while True:
            kind, size = HEADER.unpack(self._exactly(HEADER.size))
            if kind == END:
                return
            # The length comes from outside: it is limited before memory is allocated for it.
            if size > FRAME_BYTES * 2:
                raise _damaged()
            if kind == RAW:
                yield from self._pieces(size)
            else:
                yield unpacked(kind, self._exactly(size))

    def _pieces(self, size: int) -> Iterator[bytes]:
        """Yield bytes as they arrive: what came before a cut need not be sent again."""
        while size:
            piece = self._exactly(min(size, max(1, len(self._buffer))))
            size -= len(piece)
            yield piece

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if self._ended:
                raise ReleaseError(
                    "cut-off",
                    "The connection ended before all files had arrived.",
                    "Deploy again. Uploaded files are kept.",
                )
            self._fill()
        return self._consume(size)

    def _fill(self) -> None:
        deadline = time.monotonic() + SILENCE_S
        while not select.select([self._handle], [], [], 1.0)[0]:
            if time.monotonic() > deadline:
                self._ended = True
                return
        piece = os.read(self._handle, 1 << 18)
        self._ended = not piece
        self._buffer += piece

    def _consume(self, size: int) -> bytes:
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found


def packed(content: bytes, kind: int, level: int = 1) -> bytes:
    """Return the content of a frame of this kind."""
    if kind == DEFLATED:
        return zlib.compress(content, level)
    if kind == SHUFFLED:
        whole = len(content) // PLANES * PLANES
        planes = b"".join(content[first:whole:PLANES] for first in range(PLANES))
        return zlib.compress(planes + content[whole:], level)
    return content


def unpacked(kind: int, content: bytes) -> bytes:
    """Return the input of ``packed``.

    Raises:
        ReleaseError: for bytes that it did not make.
    """
    if kind == RAW:
        return content
    if kind not in (DEFLATED, SHUFFLED):
        raise _damaged()
    try:
        inflate = zlib.decompressobj()
        plain = inflate.decompress(content, FRAME_BYTES)
    except zlib.error:
        raise _damaged() from None
    if not inflate.eof:
        raise _damaged()
    return plain if kind == DEFLATED else _in_order(plain)


def _in_order(planes: bytes) -> bytes:
    count = len(planes) // PLANES
    found = bytearray(planes)
    for first in range(PLANES):
        found[first : count * PLANES : PLANES] = planes[first * count : (first + 1) * count]
    return bytes(found)


def _damaged() -> ReleaseError:
    return ReleaseError("damaged-transfer", "The received data is not a transfer of the studio.")
