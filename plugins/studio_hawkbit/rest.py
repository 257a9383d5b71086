"""Calls of a server's API, and its refusals as sentences."""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from studio.api import Progress, TargetError
from studio_hawkbit.address import FleetAddress

_LARGEST = 64 << 20
_CHUNK = 1 << 18
_TIMEOUT_S = 60.0
_ANSWER_S = 240.0

Headers = dict[str, str]


class FleetRefusal(TargetError):
    """A refusal of the server, with its status."""

    def __init__(self, message: str, status: int, hint: str = "", detail: str = "") -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.status = status


class Rest:
    """API of one server, over one connection at a time."""

    def __init__(self, address: FleetAddress) -> None:
        self.address = address
        self.authorization = ""

    def basic(self) -> None:
        """Send user and password with each request."""
        address = self.address
        pair = f"{address.user}:{address.password}".encode()
        self.authorization = "Basic " + base64.b64encode(pair).decode() if address.user else ""

    def get(self, path: str, **query: object) -> Any:
        """Return a JSON document."""
        return self.call("GET", path + (f"?{urlencode(query)}" if query else ""))

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send JSON and return the JSON of the answer; None for an empty one."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        return self.send(method, path, data, headers)

    def form(self, path: str, values: Mapping[str, str]) -> Any:
        """Send a form as browsers do."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.send("POST", path, urlencode(values).encode(), headers)

    def upload(self, method: str, path: str, file: Path, name: str, progress: Progress) -> Any:
        """Send a file as a part named ``file``; its content is read while it is sent."""
        boundary = secrets.token_hex(16)
        disposition = f'Content-Disposition: form-data; name="file"; filename="{name}"'
        kind = "Content-Type: application/octet-stream"
        head = f"--{boundary}\r\n{disposition}\r\n{kind}\r\n\r\n".encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        size = file.stat().st_size
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + size + len(tail)),
        }

        def pieces() -> Iterator[bytes]:
            yield head
            sent = 0
            with file.open("rb") as source:
                for piece in iter(lambda: source.read(_CHUNK), b""):
                    progress.progress(sent, size, "Uploading the artefact")
                    progress.check()
                    sent += len(piece)
                    yield piece
            yield tail

        return self.send(method, path, pieces(), headers)

    def send(self, method: str, path: str, body: Any, headers: Headers) -> Any:
        """Send a request; return the JSON of the answer.

        Raises:
            FleetRefusal: when the server refuses it.
            TargetError: when it does not answer, or not in JSON.
        """
        if self.authorization:
            headers["Authorization"] = self.authorization
        headers["Accept"] = "application/hal+json, application/json"
        connection = self._connection()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = _content(response)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or "no reason given"
            raise TargetError(
                f"The server {self.address.base} cannot be reached: {reason.rstrip('.')}.",
                hint="Check that it runs, its address, and its certificate.",
            ) from None
        finally:
            connection.close()
        if response.status >= 300:
            raise self._refusal(response.status, content)
        if not content:
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise TargetError(
                f"What answers at {self.address.base} is no {self.address.kind} server."
            ) from None

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.address.base)
        host = parts.hostname or ""
        if self.address.context is None:
            return http.client.HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)
        return http.client.HTTPSConnection(
            host, parts.port, timeout=_TIMEOUT_S, context=self.address.context
        )

    def _refusal(self, status: int, content: bytes) -> FleetRefusal:
        said, base = _message(content), self.address.base
        if status in (301, 302, 303, 307, 308, 401):
            return FleetRefusal(
                f"The server {base} wants a login.",
                status,
                "Pass a file of mode 600 with user:password: --set login=FILE",
                said,
            )
        if status == 403:
            return FleetRefusal(f"The server {base} does not allow this to its user.", status)
        text = said or f"HTTP status {status}"
        return FleetRefusal(f"The server refused: {text}.", status, detail=said)


def _content(response: http.client.HTTPResponse) -> bytes:
    until, content = time.monotonic() + _ANSWER_S, bytearray()
    while piece := response.read1(_CHUNK):
        content += piece
        if len(content) > _LARGEST:
            raise OSError(0, "its answer is too large to be true")
        if time.monotonic() > until:
            raise OSError(0, "its answer arrives too slowly")
    return bytes(content)


def _message(content: bytes) -> str:
    try:
        found = json.loads(content)
        text = found.get("message") or found.get("detail") or ""
    except (ValueError, AttributeError, RecursionError):
        return ""
    return " ".join(str(text).split())[:300].rstrip(".")
