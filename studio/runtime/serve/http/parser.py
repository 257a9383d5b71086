"""A strict parser of HTTP/1.1 requests that takes bytes as they come.

Input that two parsers could read as two different requests is refused rather than repaired, as
request smuggling depends on it. Examples are both Content-Length and Transfer-Encoding, repeated or
odd lengths, folded headers, bare line feeds, spaces before a colon.

A client sends the same head again and again: a head that is equal byte for byte to one that was
accepted before is not read a second time.
"""

from __future__ import annotations

import re
from typing import Dict, Optional, Tuple, Union

from .admission import Admission
from .body import FIELD, LARGE, TOKEN, VALUE, ChunkedBody, HttpLimits, LargeBody, too_large
from .message import Body, Head, Headers, HttpError, Request, split_target

_HEAD = re.compile(
    r"(" + TOKEN + r") ([\x21-\x7e]+) HTTP/([0-9])\.([0-9])\r\n"
    r"((?:" + TOKEN + r":" + VALUE + r"\r\n)*)\r\n"
)
_LENGTH = re.compile(r"[0-9]{1,18}")
_FIRST = frozenset(b"!#$%&'*+-.^_`|~0123456789\r" + bytes(range(65, 91)) + bytes(range(97, 123)))
_ONCE = frozenset(("content-length", "transfer-encoding", "host", "content-type", "expect"))


class HeadReader:
    """Reads heads, and remembers a few of those that it has accepted.

    Attributes:
        admission: What else a head must show.
    """

    _KEPT = 128
    _KEPT_BYTES = 1024

    def __init__(self, limits: HttpLimits, admission: Optional[Admission] = None) -> None:
        self.limits = limits
        self.admission = admission or Admission()
        self._known: Dict[bytes, Head] = {}

    def read(self, raw: bytes) -> Head:
        """Return the head in these bytes, from the first one to the empty line.

        Raises:
            HttpError: when it is malformed, ambiguous, larger than the limits, or not admitted.
        """
        head = self._known.get(raw)
        if head is None:
            head = parse_head(raw.decode("latin-1"), self.limits)
            self.admission.check_head(head)
            if len(raw) <= self._KEPT_BYTES:
                if len(self._known) >= self._KEPT:  # a client sends ever new ones
                    self._known.clear()
                self._known[raw] = head
        return head


class RequestParser:
    """Incremental parser of a stream of bytes into requests.

    Feed it with bytes and take requests until none is left. After an HttpError the stream is
    lost: the connection must be closed.

    A large body is received in its place: while ``room`` gives a buffer, the next bytes of the
    connection go there, and ``filled`` counts them. It is received once there is room for it:
    while ``needs`` is not zero, feed nothing more; ``grant`` resumes.

    Attributes:
        started: The first byte of an unfinished request has come.
        head_done: The head of the unfinished request is read, its body is not.
        wants_continue: The client waits for 100 Continue before it sends the body.
        needs: Bytes of memory that the body needs before more of it may come.
    """

    def __init__(self, heads: HeadReader) -> None:
        self._heads = heads
        self._limits = heads.limits
        self._buffer = bytearray()
        self._searched = 0
        self._request: Optional[Request] = None
        self._length = 0
        self._chunks: Optional[ChunkedBody] = None
        self._large: Optional[LargeBody] = None
        self._granted = False
        self._admitted = False
        self.needs = 0
        self._last_raw = b""
        self._last: Optional[Head] = None
        self.wants_continue = False

    @property
    def started(self) -> bool:
        """Whether a request has started and is not complete."""
        return bool(self._buffer) or self._request is not None

    @property
    def last_head(self) -> bytes:
        """The bytes of the head that was read last."""
        return self._last_raw

    @property
    def head_done(self) -> bool:
        """Whether only the body is missing."""
        return self._request is not None

    @property
    def buffered(self) -> int:
        """Bytes waiting to be read as further requests, or as the rest of this one."""
        return len(self._buffer) + (self._large.received if self._large is not None else 0)

    @property
    def is_chunked(self) -> bool:
        """Whether the body being read comes in chunks."""
        return self._chunks is not None

    def grant(self) -> None:
        """There is room for what the body ``needs``."""
        self.needs = 0
        self._granted = True
        if self._chunks is None:
            self._large = LargeBody(self._length, self._buffer)
            self._buffer = bytearray()

    def drop(self) -> None:
        """Free what has come of an unfinished request; the stream is lost."""
        self._buffer = bytearray()
        self._large = self._chunks = self._request = None
        self.needs = 0

    @property
    def room(self) -> Optional[memoryview]:
        """Where the next bytes belong, when they are part of a large body."""
        return None if self._large is None else self._large.room()

    def filled(self, count: int) -> None:
        """Count bytes that were put into ``room``."""
        assert self._large is not None
        self._large.received += count

    def feed(self, data: Union[bytes, memoryview]) -> None:
        """Take bytes from the connection."""
        if self._large is None:
            self._buffer += data
            return
        while data:
            room = self._large.room()
            count = min(len(room), len(data))
            if not count:  # the body is complete: this is another request
                self._buffer += data
                return
            room[:count] = data[:count]
            self.filled(count)
            data = data[count:]

    def again(self, data: memoryview) -> Optional[Request]:
        """Return the request in these bytes if they are one whole request with the last head.

        None in every other case, and then nothing has happened: the bytes are still to be fed.
        """
        last, raw = self._last, self._last_raw
        if last is None or self._buffer or self._request is not None:
            return None
        begin = len(raw)
        if last.chunked or len(data) != begin + last.length or bytes(data[:begin]) != raw:
            return None
        request = last.request()
        request.body = bytes(data[begin:])
        return request

    def next(self) -> Optional[Request]:
        """Return the next complete request, or None until more bytes have come.

        Raises:
            HttpError: when the bytes are not an acceptable request.
        """
        if self._request is None and not self._read_head():
            return None
        request = self._read_body()
        if request is None and not self._admitted:
            self._admit()
        return request

    def _admit(self) -> None:
        """Pause before the body, so that the server can check the head first."""
        self._admitted = True
        head = self._last
        assert head is not None
        most = self._heads.admission.check_body(head)
        if most is None:
            return
        if head.length > most:
            raise too_large(most)
        if self._chunks is not None:
            self._chunks.limit(most)

    def _read_head(self) -> bool:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # empty lines after the last request are to be ignored
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n", self._searched)
        if end < 0:
            self._refuse_endless_head()
            self._searched = max(0, len(buffer) - 3)
            return False
        self._searched = 0
        if end + 4 > self._limits.head:
            raise HttpError(431, "The request's headers are too large.", close=True)
        raw = bytes(buffer[: end + 4])
        head = self._heads.read(raw)
        self._last_raw, self._last = raw, head
        del buffer[: end + 4]
        self._length = head.length
        self._chunks = ChunkedBody(self._limits) if head.chunked else None
        self._request = head.request()
        self._granted = self._admitted = False
        self.wants_continue = (
            "expect" in head.headers and not buffer and (head.chunked or head.length > 0)
        )
        return True

    def _refuse_endless_head(self) -> None:
        buffer = self._buffer
        if buffer and buffer[0] not in _FIRST:  # TLS, or another protocol altogether
            raise HttpError(400, "This is not an HTTP request.", close=True)
        if b"\n\n" in buffer or b"\n\r\n" in buffer:
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
            body: Optional[Body] = self._chunks.read(self._buffer)
            if body is None and len(self._chunks.content) >= LARGE and not self._granted:
                self.needs = self._chunks.most
        else:
            body = self._take_body()
        if body is None:
            return None
        request.body = body
        self._request = None
        self._chunks = None
        self.wants_continue = False
        return request

    def _take_body(self) -> Optional[Body]:
        """Return the body of the announced length, once it is there."""
        length, buffer = self._length, self._buffer
        if self._large is not None:
            if self._large.received < length:
                return None
            body, self._large = self._large.content, None
            return body
        if len(buffer) > length:
            found = bytes(memoryview(buffer)[:length])
            del buffer[:length]
            return found
        if len(buffer) == length:
            self._buffer = bytearray()
            return buffer
        if length >= LARGE:
            self.needs = length
        return None


def parse_head(text: str, limits: HttpLimits) -> Head:
    """Read a request's head, from its first byte to the empty line.

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
    path, query = split
    return Head(method, path, query, headers, _keeps_alive(headers, old), length, chunked)


def _headers(block: str, limits: HttpLimits) -> Headers:
    fields = FIELD.findall(block)
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


def _keeps_alive(headers: Headers, old: bool) -> bool:
    connection = headers.get("connection")
    if connection is None:
        return not old
    options = {option.strip() for option in connection.lower().split(",")}
    return "keep-alive" in options if old else "close" not in options
