"""Delivery of one event: the permission of the receiver, the request, and its answer.

As in the HTTP 1.1 Web Hooks for Event Delivery of CloudEvents: a request with OPTIONS finds out
whether the receiver wants events of this sender, redirects are not followed, and 410 ends it.
"""

from __future__ import annotations

import os
import stat
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import cast

from studio.api import UsageError
from studio.monitoring.webhooks.event import EventRequest
from studio.monitoring.webhooks.options import CloudEventsOptions

TIMEOUT_S = 5.0
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MOST_SECRET = 4096


class DeliveryError(Exception):
    """The failure of a delivery, in one sentence without a secret.

    Attributes:
        final: Whether no later try can succeed.
        wait_s: Seconds that the receiver asks to wait.
    """

    def __init__(self, text: str, *, final: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(text)
        self.final = final
        self.wait_s = wait_s


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A handler that refuses redirects, which would send the token to another server."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


class Receiver:
    """A receiver of events, which has to allow them once."""

    def __init__(self, options: CloudEventsOptions, token: str) -> None:
        parts = urllib.parse.urlsplit(options.url)
        if token and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise UsageError("A token goes to an https:// address only.")
        self._options = options
        self._token = token
        # The path of a webhook is often its only secret, so messages leave it out.
        port = f":{parts.port}" if parts.port else ""
        self._where = f"{parts.scheme}://{parts.hostname}{port}"
        self._allowed = not options.handshake

    def send(self, message: EventRequest) -> None:
        """Send a message.

        Raises:
            DeliveryError: when the receiver did not take it.
        """
        if not self._allowed:
            self._ask()
            self._allowed = True
        request = urllib.request.Request(self._options.url, message.body, dict(message.headers))
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        self._open(request)

    def _ask(self) -> None:
        request = urllib.request.Request(self._options.url, method="OPTIONS")
        request.add_header("WebHook-Request-Origin", self._options.sender)
        allowed = self._open(request).headers.get("WebHook-Allowed-Origin", "")
        if allowed.strip() not in ("*", self._options.sender):
            raise DeliveryError(
                f"The receiver at {self._where} does not allow events of {self._options.sender}."
            )

    def _open(self, request: urllib.request.Request) -> HTTPResponse:
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                return cast(HTTPResponse, answer)
        except urllib.error.HTTPError as error:
            error.close()
            text = f"The receiver at {self._where} answered {error.code}."
            wait = str(error.headers.get("Retry-After") or "")
            seconds = float(wait) if wait.isdigit() else 0.0
            raise DeliveryError(
                text, final=error.code in (410, 415), wait_s=min(seconds, 3600.0)
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise DeliveryError(
                f"The receiver at {self._where} cannot be reached: {reason}."
            ) from None


def secret_of_file(path: str) -> str:
    """Return the secret in a file that only its owner may read.

    Raises:
        UsageError: when others may read it, it is not the user's, or it is empty.
    """
    file = Path(path).expanduser()
    try:
        # Opened first, so that the file that is checked is the one that is read.
        with file.open("rb") as opened:
            found = os.fstat(opened.fileno())
            text = opened.read(_MOST_SECRET + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UsageError(f"Others may read {file}.", hint=f"chmod 600 {file}")
    secret = text.decode("utf-8", "replace").strip()
    if not secret or len(text) > _MOST_SECRET or not secret.isprintable():
        raise UsageError(f"{file} must hold one secret in one line.")
    return secret
