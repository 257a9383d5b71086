"""A strict parser of HTTP/1.1 requests that takes bytes as they come.

Anything in which two readers could see two different requests (both Content-Length and
Transfer-Encoding, repeated or odd lengths, folded headers, bare line feeds, spaces before a
colon) is refused rather than repaired: that is what request smuggling is made of.

httptools would save 3.5 of some 50 microseconds a request; one parser on every target, with one
idea of what a request is, is worth more.
"""

from __future__ import annotations

import re
from typing import List, NamedTuple, Optional, Tuple

from .message import Headers, HttpError, Request, split_target

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_VALUE = r"[\t\x20-\x7e\x80-\xff]*"
_HEAD = re.compile(
    r"(" + _TOKEN + r") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])\r\n"
    r"((?:" + _TOKEN + r":" + _VALUE + r"\r\n)*)\r\n"
)
_FIELD = re.compile(r"(" + _TOKEN + r"):(" + _VALUE + r")\r\n")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[\t ]*(?:;[\t\x20-\x7e]*)?")
_FIRST = frozenset(b"!#$%&'*+-.^_`|~0123456789\r" + bytes(range(65, 91)) + bytes(range(97, 123)))
_ONCE = frozenset(("content-length", "transfer-encoding", "host", "content-type", "expect"))


class HttpLimits(NamedTuple):
    """How much one request may bring.

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


class RequestParser:
    """Turns a stream of bytes into requests, one at a time.

    Feed it with bytes and take requests until none is left. After an HttpError the stream is
    lost: the connection must be closed.

    Attributes:
        started: The first byte of an unfinished request has come.
        head_done: The head of the unfinished request is read, its body is not.
        wants_continue: The client waits for 100 Continue before it sends the body.
    """

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._searched = 0
        self._request: Optional[Request] = None
        self._length = 0
        self._chunks: Optional[_Chunked] = None
        self.wants_continue = False

    @property
    def started(self) -> bool:
        """Whether a request has begun and is not complete."""
        return bool(self._buffer) or self._request is not None

    @property
    def head_done(self) -> bool:
        """Whether only the body is missing."""
        return self._request is not None

    @property
    def buffered(self) -> int:
        """Bytes waiting to be read as further requests, or as the rest of this one."""
        return len(self._buffer)

    @property
    def expected(self) -> int:
        """Announced length of the body being read; 0 when it is chunked or none is read."""
        return self._length if self._request is not None else 0

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection."""
        self._buffer += data

    def next(self) -> Optional[Request]:
        """The next complete request, or None until more bytes have come.

        Raises:
            HttpError: when the bytes are not an acceptable request.
        """
        if self._request is None and not self._read_head():
            return None
        return self._read_body()

    def _read_head(self) -> bool:
        buffer = self._buffer
        while buffer[:2] == b"\r\n":  # empty lines after the last request are to be ignored
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n", self._searched)
        if end < 0:
            self._refuse_endless_head()
            self._searched = max(0, len(buffer) - 3)
            return False
        self._searched = 0
        if end + 4 > self._limits.head:
            raise HttpError(431, "The request's headers are too large.", close=True)
        text = buffer[: end + 4].decode("latin-1")
        del buffer[: end + 4]
        request, length, chunked = parse_head(text, self._limits)
        self._length = length
        self._chunks = _Chunked(self._limits) if chunked else None
        self._request = request
        self.wants_continue = "expect" in request.headers and not buffer and (chunked or length > 0)
        return True

    def _refuse_endless_head(self) -> None:
        buffer = self._buffer
        if buffer and buffer[0] not in _FIRST:  # TLS, or another protocol altogether
            raise HttpError(400, "This is not an HTTP request.", close=True)
        if b"\n\n" in buffer or b"\n\r\n" in buffer[-3:]:
            raise HttpError(400, "Lines of a request end with CR LF.", close=True)
        if len(buffer) <= self._limits.head:
            return
        if b"\n" in buffer:
            raise HttpError(431, "The request's headers are too large.", close=True)
        raise HttpError(414, "The request's address is too long.", close=True)

    def _read_body(self) -> Optional[Request]:
        request = self._request
        assert request is not None
        if self._chunks is not None:
            body = self._chunks.read(self._buffer)
            if body is None:
                return None
            request.body = body
        elif self._length:
            if len(self._buffer) < self._length:
                return None
            if len(self._buffer) == self._length:
                request.body, self._buffer = self._buffer, bytearray()
            else:
                request.body = bytes(memoryview(self._buffer)[: self._length])
                del self._buffer[: self._length]
        self._request = None
        self.wants_continue = False
        return request


class _Chunked:
    """A chunked body that is being read."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._parts: List[bytes] = []
        self._size = 0
        self._missing = -1  # of the current chunk with its CRLF; -1: a size line is next
        self._trailers = -1  # bytes of trailers read; -1: the last chunk has not come

    def read(self, buffer: bytearray) -> Optional[bytes]:
        """The whole body, or None while it is incomplete."""
        while True:
            if self._trailers >= 0:
                return b"".join(self._parts) if self._read_trailer(buffer) else None
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
        if self._size > self._limits.body:
            raise too_large(self._limits.body)
        if size == 0:
            self._trailers = 0
        else:
            self._missing = size + 2
        return True

    def _read_data(self, buffer: bytearray) -> bool:
        if len(buffer) < self._missing:
            return False
        end = self._missing - 2
        if buffer[end : self._missing] != b"\r\n":
            raise HttpError(400, "A chunk is longer than its size says.", close=True)
        self._parts.append(bytes(memoryview(buffer)[:end]))
        del buffer[: self._missing]
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
            valid = _FIELD.fullmatch(line.decode("latin-1") + "\r\n")
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


def parse_head(text: str, limits: HttpLimits) -> Tuple[Request, int, bool]:
    """Read a request's head, from its first byte to the empty line.

    Returns:
        The request without its body, the body's length, and whether it is chunked.

    Raises:
        HttpError: when it is malformed, ambiguous, or larger than the limits.
    """
    match = _HEAD.fullmatch(text)
    if match is None:
        raise HttpError(400, "This is not a valid HTTP request.", close=True)
    method, target, major, minor, block = match.groups()
    if major != "1":
        raise HttpError(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.", close=True)
    headers = _headers(block, limits)
    split = split_target(target)
    if split is None:
        raise HttpError(400, "The request's address must be a path.", close=True)
    old = minor == "0"
    if not old and "host" not in headers:
        raise HttpError(400, "The request has no Host header.", close=True)
    length, chunked = _framing(headers, old, limits)
    if "expect" in headers and headers["expect"].lower() != "100-continue":
        raise HttpError(417, "Only 'Expect: 100-continue' is known here.", close=True)
    request = Request(method, split[0], split[1], headers, _keeps_alive(headers, old))
    return request, length, chunked


def _headers(block: str, limits: HttpLimits) -> Headers:
    fields = _FIELD.findall(block)
    if len(fields) > limits.fields:
        raise HttpError(431, "The request has too many headers.", close=True)
    headers: Headers = {}
    for name, value in fields:
        name = name.lower()
        value = value.strip("\t ")
        if name in headers:
            if name in _ONCE:
                raise HttpError(400, "The header {} is repeated.".format(name), close=True)
            value = headers[name] + ", " + value
        headers[name] = value
    return headers


def _framing(headers: Headers, old: bool, limits: HttpLimits) -> Tuple[int, bool]:
    """Length of the body, and whether it is chunked instead."""
    length = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or old:
            raise HttpError(400, "The length of the body is ambiguous.", close=True)
        if coding.lower() != "chunked":
            raise HttpError(501, "The only transfer coding known here is chunked.", close=True)
        return 0, True
    if length is None:
        return 0, False
    if _LENGTH.fullmatch(length) is None:
        raise HttpError(400, "Content-Length is not a number of bytes.", close=True)
    size = int(length)
    if size > limits.body:
        raise too_large(limits.body)
    return size, False


def too_large(limit: int) -> HttpError:
    """The error for a body beyond the limit."""
    return HttpError(413, "The body is larger than {} bytes.".format(limit), close=True)


def _keeps_alive(headers: Headers, old: bool) -> bool:
    connection = headers.get("connection")
    if connection is None:
        return not old
    options = {option.strip() for option in connection.lower().split(",")}
    return "keep-alive" in options if old else "close" not in options
