"""A request, its head, and a response, as the endpoints see them."""

from __future__ import annotations

import http
import json
from typing import Any, Dict, NamedTuple, Optional, Sequence, Tuple, Union

Headers = Dict[str, str]
Body = Union[bytes, bytearray]
"""Of a request: a bytearray where that saves a copy; nobody changes it."""

JSON = "application/json"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
BINARY = "application/octet-stream"


class Request:
    """Parsed request of an HTTP client.

    Attributes:
        path: The target without its query, still percent-encoded.
        headers: By lower-case name; repeated ones joined with a comma.
        keep_alive: Whether the client wants the connection to stay open.
    """

    __slots__ = ("body", "headers", "keep_alive", "method", "path", "query")

    def __init__(
        self, method: str, path: str, query: str, headers: Headers, keep_alive: bool
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.keep_alive = keep_alive
        self.body: Body = b""

    def without_body(self) -> Request:
        """Return the same request without its body."""
        return Request(self.method, self.path, self.query, self.headers, self.keep_alive)


class Head(NamedTuple):
    """Accepted head of a request.

    Attributes:
        path: The target without its query, still percent-encoded.
        headers: By lower-case name; never modified.
        length: Bytes of the body; 0 when it is chunked.
    """

    method: str
    path: str
    query: str
    headers: Headers
    keep_alive: bool
    length: int
    chunked: bool

    def request(self) -> Request:
        """Return the request, without its body."""
        return Request(self.method, self.path, self.query, self.headers, self.keep_alive)


class Response:
    """An answer, before it is put on the wire.

    Attributes:
        headers: Extra header lines, each ended with CRLF, already safe to send.
        parts: Buffers that follow the body and belong to it.
        start: Cached lines of the head, without those that differ from answer to answer; they
            must agree with the rest.
    """

    __slots__ = ("again", "body", "content_type", "headers", "parts", "start", "status")

    def __init__(
        self, status: int = 200, body: bytes = b"", content_type: str = JSON, headers: str = ""
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers
        self.parts: Sequence[Any] = ()
        self.start: Optional[bytes] = None
        self.again: Any = None

    @property
    def length(self) -> int:
        """Bytes of the body with its parts."""
        return len(self.body) + sum(memoryview(part).nbytes for part in self.parts)

    @staticmethod
    def of(document: object, status: int = 200) -> Response:
        """Return a JSON answer."""
        return Response(status, json.dumps(document, separators=(",", ":")).encode("utf-8"))

    @staticmethod
    def error(status: int, sentence: str, headers: str = "") -> Response:
        """Return an error body of the Open Inference Protocol."""
        response = Response.of({"error": sentence}, status)
        response.headers = headers
        return response


class HttpError(Exception):
    """A request that is answered with an error.

    Attributes:
        status: The HTTP status.
        close: The connection cannot be trusted any more (its framing is uncertain).
    """

    def __init__(
        self, status: int, sentence: str, *, headers: str = "", close: bool = False
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers
        self.close = close

    def response(self) -> Response:
        """Return the answer to send."""
        return Response.error(self.status, self.sentence, self.headers)


def _status_lines() -> Dict[int, str]:
    return {s.value: "HTTP/1.1 {} {}\r\n".format(s.value, s.phrase) for s in http.HTTPStatus}


_STATUS_LINES = _status_lines()
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


_CLOSE = b"Connection: close\r\n\r\n"


def start_of(response: Response) -> bytes:
    """Return the lines of a response's head that are the same whenever it is sent."""
    return "{}Content-Type: {}\r\nContent-Length: {}\r\n{}".format(
        _STATUS_LINES[response.status], response.content_type, response.length, response.headers
    ).encode("latin-1")


def render(
    response: Response, *, date: bytes, close: bool, without_body: bool = False, extra: bytes = b""
) -> bytes:
    """Return the bytes of a response.

    Args:
        date: The line of the Date header.
        close: Announce that the connection ends after this answer.
        without_body: For HEAD: the length is announced, the body is not sent.
        extra: More header lines, each ended with CRLF.
    """
    start = response.start or start_of(response)
    end = _CLOSE if close else b"\r\n"
    if without_body:
        # Content-Length stays that of the body, as HTTP requires of an answer to HEAD.
        return b"".join((start, date, extra, end))
    return b"".join((start, date, extra, end, response.body, *response.parts))


def head_of_stream(response: Response, date: bytes) -> bytes:
    """Return the head of an answer whose end is that of its connection."""
    start = "{}Content-Type: {}\r\n{}".format(
        _STATUS_LINES[response.status], response.content_type, response.headers
    )
    return b"".join((start.encode("latin-1"), date, _CLOSE))


def split_target(target: str) -> Optional[Tuple[str, str]]:
    """Path and query of a request target in origin or absolute form; None for other forms."""
    # Proxies send the absolute form, which a server must accept as well (RFC 9112, 3.2.2).
    if target[:7].lower() == "http://":
        slash = target.find("/", 7)
        target = target[slash:] if slash > 0 else "/"
    if not target.startswith("/"):
        return None
    path, _, query = target.partition("?")
    return path, query
