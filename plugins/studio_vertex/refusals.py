"""Error messages for refusals of Google's services, with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import Any

from studio.api import TargetError

_BY_CODE = {
    1: "CANCELLED",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    6: "ALREADY_EXISTS",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    9: "FAILED_PRECONDITION",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    16: "UNAUTHENTICATED",
}
"""google.rpc.Code, as operations give it."""
_BY_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
_SAID = {
    "UNAUTHENTICATED": (
        "Google does not accept the credentials (any more)",
        "Log in again: gcloud auth application-default login",
    ),
    "PERMISSION_DENIED": (
        "the credentials do not allow it",
        "Ask for the role Vertex AI User in this project, and see that the API is switched on.",
    ),
    "RESOURCE_EXHAUSTED": (
        "a quota of the project is used up, or the region has no such machine left",
        "Choose another machine or region, or ask Google for more quota.",
    ),
    "UNAVAILABLE": ("the service is not available at the moment", "Try again in a while."),
    "DEADLINE_EXCEEDED": ("it took too long", "Deploy again. It resumes where it stopped."),
    "CANCELLED": ("somebody cancelled it there", "Deploy again."),
}


class GoogleRefusal(TargetError):
    """A refusal of one of Google's services.

    Attributes:
        reason: Its canonical name (``NOT_FOUND``).
    """

    def __init__(self, what: str, reason: str, message: str) -> None:
        said, hint = _SAID.get(reason, ("", ""))
        first = shorten(message, 300, placeholder=" ...").rstrip(".")
        text = f"{said} ({first})" if said and first else said or first or "no reason reported"
        super().__init__(f"{what} failed: {text}.", hint=hint, detail=message)
        self.reason = reason


def refusal(what: str, status: int, body: Any) -> GoogleRefusal:
    """Return the error for an HTTP response."""
    error = body.get("error") if isinstance(body, Mapping) else None
    error = error if isinstance(error, Mapping) else {}
    reason = str(error.get("status") or _BY_STATUS.get(status, "INTERNAL"))
    return GoogleRefusal(what, reason, str(error.get("message") or f"HTTP {status}"))


def failure(what: str, error: Mapping[str, Any]) -> GoogleRefusal:
    """Return the error for an operation that failed."""
    code = int(error.get("code") or 13)
    return GoogleRefusal(what, _BY_CODE.get(code, "INTERNAL"), str(error.get("message") or ""))
