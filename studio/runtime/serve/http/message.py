"""A request and a response, as the endpoints see them."""

from __future__ import annotations

import http
import json
from typing import Any, Dict, Optional, Tuple, Union

Headers = Dict[str, str]
Body = Union[bytes, bytearray]
"""Of a request: a bytearray where that saves a copy; nobody changes it."""

JSON = "application/json"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
BINARY = "application/octet-stream"


class Request:
    """One parsed request.

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


class Response:
    """An answer, before it is put on the wire.

    Attributes:
        headers: Extra header lines, each ended with CRLF, already safe to send.
    """

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self, status: int = 200, body: bytes = b"", content_type: str = JSON, headers: str = ""
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers

    @staticmethod
    def of(document: Any, status: int = 200) -> Response:
        """A JSON answer."""
        return Response(status, json.dumps(document, separators=(",", ":")).encode("utf-8"))

    @staticmethod
    def error(status: int, sentence: str, headers: str = "") -> Response:
        """An error body of the Open Inference Protocol."""
        response = Response.of({"error": sentence}, status)
        response.headers = headers
        return response


class HttpError(Exception):
    """A request that is answered with an error.

    Attributes:
        status: The HTTP status.
        close: The connection cannot be trusted any more (its framing is in doubt).
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
        """The answer to send."""
        return Response.error(self.status, self.sentence, self.headers)


def _status_lines() -> Dict[int, str]:
    return {s.value: "HTTP/1.1 {} {}\r\n".format(s.value, s.phrase) for s in http.HTTPStatus}


_STATUS_LINES = _status_lines()
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def render(
    response: Response, *, date: str, close: bool, without_body: bool = False, extra: str = ""
) -> bytes:
    """The bytes of a response.

    Args:
        date: Value of the Date header.
        close: Announce that the connection ends after this answer.
        without_body: For HEAD: the length is announced, the body is not sent.
        extra: More header lines, each ended with CRLF.
    """
    head = "{}Content-Type: {}\r\nContent-Length: {}\r\nDate: {}\r\n{}{}{}\r\n".format(
        _STATUS_LINES[response.status],
        response.content_type,
        len(response.body),
        date,
        response.headers,
        extra,
        "Connection: close\r\n" if close else "",
    ).encode("latin-1")
    return head if without_body else head + response.body


def split_target(target: str) -> Optional[Tuple[str, str]]:
    """Path and query of a request target in origin or absolute form; None for other forms."""
    if target[:7].lower() == "http://":
        slash = target.find("/", 7)
        target = target[slash:] if slash > 0 else "/"
    if not target.startswith("/"):
        return None
    path, _, query = target.partition("?")
    return path, query
