"""Error messages for Azure's refusals, with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import Any

from studio.api import TargetError

_LOGIN = "Log in again: az login"
_KNOWN = (
    (
        ("ExpiredAuthenticationToken", "InvalidAuthenticationToken", "AuthenticationFailed"),
        "Azure does not accept the credentials (any more)",
        _LOGIN,
    ),
    (
        ("AuthorizationFailed", "Forbidden", "LinkedAuthorizationFailed"),
        "the credentials do not allow it",
        "Ask for the role AzureML Data Scientist in the workspace.",
    ),
    (
        ("OutOfQuota", "QuotaExceeded", "InsufficientQuota", "BadArgument.OutOfQuota"),
        "the quota for such instances is used up",
        "Choose another instance type, or ask for more quota in the portal.",
    ),
    (
        ("OutOfCapacity", "AllocationFailed", "SkuNotAvailable"),
        "the region has no such instance left",
        "Choose another instance type, or try later.",
    ),
    (("TooManyRequests", "429"), "Azure is asked too often", "Try again in a while."),
    (("ServiceUnavailable", "503"), "the service is not available", "Try again in a while."),
    (
        ("ImagePullFailure", "ImageBuildFailure", "ResourceNotReady"),
        "the image does not start",
        "See the log, and let the endpoint's identity pull from the registry (AcrPull).",
    ),
)
"""Codes, what is said of them, what to do about it."""
_BY_STATUS = {401: "AuthenticationFailed", 403: "Forbidden", 404: "NotFound"}


class AzureRefusal(TargetError):
    """A refusal of Azure.

    Attributes:
        status: Of HTTP; 0 for an operation that failed later.
        code: Azure's own (``OutOfQuota``).
    """

    def __init__(self, what: str, status: int, error: Mapping[str, Any]) -> None:
        self.status = status
        self.code = str(error.get("code") or _BY_STATUS.get(status, status))
        message = str(error.get("message") or "")
        inner = [str(one.get("code")) for one in error.get("details") or ()]
        codes = (self.code, *inner)
        found = (row for row in _KNOWN if any(code in row[0] for code in codes))
        _, said, hint = next(found, ((), "", ""))
        first = shorten(message, 300, placeholder=" ...").rstrip(".")
        text = f"{said} ({first})" if said and first else said or first or self.code
        super().__init__(f"{what} failed: {text}.", hint=hint, detail=message)
