"""The bodies of requests: of a known length or in chunks, within limits."""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

from .message import HttpError

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
VALUE = r"[\t\x20-\x7e\x80-\xff]*"
FIELD = re.compile(r"(" + TOKEN + r"):(" + VALUE + r")\r\n")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[\t ]*(?:;[\t\x20-\x7e]*)?")
LARGE = 64 * 1024
"""Bytes from which on a body is received in its place, and needs room in the budget."""
_FREE_CHUNKS, _LEAST_CHUNK = 4096, 16
"""Chunks that may be of any size, and the bytes that more of them have in the mean: each takes
the time of a few hundred bytes."""


class HttpLimits(NamedTuple):
    """Limits on the size of one request.

    Attributes:
        head: Bytes of request line and headers together.
        fields: Number of header lines.
        body: Bytes of the body.
        chunk_line: Bytes of a chunk's size line, and of all trailers together.
    """

    head: int = 16 * 1024
    fields: int = 100
    body: int = 64 * 1024 * 1024
    chunk_line: int = 1024


class LargeBody:
    """A body that is received in its place.

    Attributes:
        content: Its bytes; as long as the body once that many have come.
        received: How many have come.
    """

    def __init__(self, length: int, begin: bytearray) -> None:
        self._length = length
        self.received = len(begin)
        self.content = begin
        self._grow()

    def room(self) -> memoryview:
        """Return the place for the next bytes; empty when the body is complete."""
        if self.received == len(self.content) < self._length:
            self._grow()
        return memoryview(self.content)[self.received :]

    def _grow(self) -> None:
        # No more than a few times of what was really sent: lengths are announced for nothing.
        size = min(self._length, max(LARGE, 4 * self.received))
        content = bytearray(size)
        content[: self.received] = memoryview(self.content)[: self.received]
        self.content = content


class ChunkedBody:
    """A chunked body that is being read; what has come of a chunk is taken at once.

    Attributes:
        content: What has come so far. It grows in its place: the system moves large blocks
            without a copy.
        most: Bytes that it may have.
    """

    def __init__(self, limits: HttpLimits) -> None:
        self.content = bytearray()
        self.most = limits.body
        self._limits = limits
        self._size = 0
        self._chunks = 0
        self._missing = -1  # of the current chunk's data; -1: a size line is next
        self._trailers = -1  # bytes of trailers read; -1: the last chunk has not come

    def limit(self, most: int) -> None:
        """Take no more bytes than this.

        Raises:
            HttpError: 413, when more have come.
        """
        self.most = most
        if self._size > most:
            raise too_large(most)

    def read(self, buffer: bytearray) -> Optional[bytearray]:
        """Return the whole body, or None while it is incomplete."""
        while True:
            if self._trailers >= 0:
                return self.content if self._read_trailer(buffer) else None
            if self._missing < 0 and not self._read_size(buffer):
                return None
            if self._trailers < 0 and not self._read_data(buffer):
                return None

    def _read_size(self, buffer: bytearray) -> bool:
        line = _take_line(buffer, self._limits.chunk_line)
        if line is None:
            return False
        match = _CHUNK.fullmatch(line)
        if match is None:
            raise HttpError(400, "The size of a chunk is not valid.", close=True)
        size = int(match.group(1), 16)
        self._size += size
        if self._size > self.most:
            raise too_large(self.most)
        if size == 0:
            self._trailers = 0
            return True
        self._missing = size
        self._chunks += 1
        if self._chunks > _FREE_CHUNKS and self._size < _LEAST_CHUNK * self._chunks:
            raise HttpError(400, "The chunks of the body are too small.", close=True)
        return True

    def _read_data(self, buffer: bytearray) -> bool:
        if self._missing:
            count = min(self._missing, len(buffer))
            self.content += memoryview(buffer)[:count]
            del buffer[:count]
            self._missing -= count
        if self._missing or len(buffer) < 2:
            return False
        if buffer[:2] != b"\r\n":
            raise HttpError(400, "A chunk is longer than its size says.", close=True)
        del buffer[:2]
        self._missing = -1
        return True

    def _read_trailer(self, buffer: bytearray) -> bool:
        while True:
            line = _take_line(buffer, self._limits.chunk_line)
            if line is None:
                return False
            if not line:
                return True
            self._trailers += len(line)
            valid = FIELD.fullmatch(line.decode("latin-1") + "\r\n")
            if valid is None or self._trailers > self._limits.chunk_line:
                raise HttpError(400, "The trailers of the body are not valid.", close=True)


def _take_line(buffer: bytearray, limit: int) -> Optional[bytes]:
    """Remove a line (without its CRLF) from the front of the buffer, once it is there."""
    end = buffer.find(b"\r\n", 0, limit + 2)
    if end < 0:
        if len(buffer) > limit + 1 or b"\n" in buffer:
            raise HttpError(400, "A line of the chunked body is not valid.", close=True)
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line


def too_large(limit: int) -> HttpError:
    """Return the error for a body beyond the limit."""
    return HttpError(413, "The body is larger than {} bytes.".format(limit), close=True)
