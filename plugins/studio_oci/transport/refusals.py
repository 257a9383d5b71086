"""Refusals of a registry as sentences."""

from __future__ import annotations

import http.client
import json

from studio.api import TargetError


class RegistryRefusal(TargetError):
    """A refusal of the registry.

    Attributes:
        status: Status of HTTP.
        code: Code of the distribution specification (``MANIFEST_UNKNOWN``); may be empty.
    """

    def __init__(self, message: str, *, status: int, code: str, detail: str, hint: str) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.status = status
        self.code = code

    @property
    def missing(self) -> bool:
        """Whether the requested object is missing."""
        return self.status == 404


def refusal_of(host: str, answer: http.client.HTTPResponse, body: bytes) -> RegistryRefusal:
    """Return the refusal in an answer."""
    code, text = _error(body)
    status, hint = answer.status, ""
    if status == 401:
        message = f"The registry {host} wants a login, or refuses the one it was given."
        hint = f"Run: oras login {host}, or docker login {host}"
    elif status == 403:
        message = f"The registry {host} does not allow this: {text or 'forbidden'}."
    elif status == 404:
        message = f"The registry {host} does not have it: {text or 'not found'}."
    elif status == 429:
        message = f"The registry {host} allows no more requests now."
        hint = "Try again later."
    elif status >= 500:
        message = f"The registry {host} failed: {text or f'HTTP status {status}'}."
        hint = "Try again later."
    else:
        message = f"The registry {host} refused: {text or f'HTTP status {status}'}."
    return RegistryRefusal(message, status=status, code=code, detail=text, hint=hint)


def _error(body: bytes) -> tuple[str, str]:
    """Return code and message of the specification's form of errors; empty for another."""
    try:
        first = json.loads(body)["errors"][0]
        text = " ".join(str(first.get("message") or "").split())
        shown = "".join(sign for sign in text if sign.isprintable())
        return str(first.get("code") or ""), shown[:300].rstrip(".")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return "", ""
