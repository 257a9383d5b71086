"""Errors in the shape that OpenAI's clients read."""

from __future__ import annotations

from typing import Dict, Optional

from ...http.message import HttpError, Response

_KINDS = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
_FIRST_OF_SERVER = 500


class BadField(Exception):
    """A field of a request that cannot be used, in one sentence."""

    def __init__(self, field: str, sentence: str, code: Optional[str] = None) -> None:
        super().__init__(sentence)
        self.field = field
        self.code = code

    def response(self) -> Response:
        """Return the answer to send."""
        return error_response(400, str(self), self.field or None, self.code)


def error_response(
    status: int,
    sentence: str,
    field: Optional[str] = None,
    code: Optional[str] = None,
    headers: str = "",
) -> Response:
    """Return an error.

    Args:
        field: Of the request that is at fault.
        code: Stable, for programs.
        headers: Extra header lines, each ended with CRLF.
    """
    response = Response.of({"error": error_document(status, sentence, field, code)}, status)
    response.headers = headers
    return response


def error_document(
    status: int, sentence: str, field: Optional[str] = None, code: Optional[str] = None
) -> Dict[str, object]:
    """Return an error as plain data, as it also ends a stream."""
    other = "server_error" if status >= _FIRST_OF_SERVER else "invalid_request_error"
    kind = _KINDS.get(status, other)
    return {"message": sentence, "type": kind, "param": field, "code": code}


def of_http(error: HttpError) -> Response:
    """Return an error of another part of the server in this shape."""
    return error_response(error.status, error.sentence, headers=error.headers)
