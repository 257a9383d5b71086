"""Calls of MLflow's REST API, and its refusals as sentences."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import (
    BaseHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    Request,
    build_opener,
)

from studio.api import TargetError
from studio_mlflow.settings import Server, login_hint

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
# A bound of the memory that a server's answer can take.
_LARGEST_JSON = 64 * 2**20
_CHUNK = 2**18
_ANSWERS = 4
"""A small answer has this many times the timeout to arrive whole."""


class MlflowError(TargetError):
    """A refusal of the server.

    Attributes:
        status: Of HTTP.
        code: MLflow's word for it (``RESOURCE_DOES_NOT_EXIST``), where it gave one.
        said: Its own message.
    """

    def __init__(self, message: str, *, status: int, code: str, said: str, hint: str = "") -> None:
        super().__init__(message, hint=hint, detail=said)
        self.status = status
        self.code = code
        self.said = said

    @property
    def missing(self) -> bool:
        """Whether the requested object is missing."""
        return self.code == "RESOURCE_DOES_NOT_EXIST" or self.status == 404


class Rest:
    """REST API of one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        handlers: list[BaseHandler] = [_NoRedirects()]
        if server.context is not None:
            handlers.append(HTTPSHandler(context=server.context))
        self._opener: OpenerDirector = build_opener(*handlers)

    def get(self, verb: str, **query: str | int) -> dict[str, Any]:
        """Ask (``registered-models/get``)."""
        text = f"?{urlencode(query)}" if query else ""
        return self._json("GET", f"{API}{verb}{text}", None)

    def post(self, verb: str, **body: Any) -> dict[str, Any]:
        """Change something."""
        return self._json("POST", API + verb, body)

    def delete(self, verb: str, **body: Any) -> dict[str, Any]:
        """Remove something."""
        return self._json("DELETE", API + verb, body)

    def listing(self, folder: str) -> list[dict[str, Any]]:
        """Return the contents of a folder of artefacts as ``path``, ``is_dir``, ``file_size``."""
        answer = self._json("GET", f"{FILES}?{urlencode({'path': folder})}", None)
        return list(answer.get("files") or [])

    def upload(self, source: Path, place: str) -> None:
        """Store a file as an artefact."""
        with source.open("rb") as content:
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(source.stat().st_size),
            }
            with self._opened("PUT", f"{FILES}/{quote(place)}", content, headers) as answer:
                answer.read(_LARGEST_JSON)

    @contextmanager
    def download(self, place: str) -> Iterator[Iterator[bytes]]:
        """Yield the content of an artefact in pieces."""
        with self._opened("GET", f"{FILES}/{quote(place)}", None, {}) as answer:
            yield iter(lambda: answer.read(_CHUNK), b"")

    def _json(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if data else {}
        with self._opened(method, path, data, headers) as answer:
            content = self._read(answer)
        try:
            found = json.loads(content or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise TargetError(
                f"What answers at {self.server.address} is not an MLflow server.",
                hint="The address is the one that MLflow's own page opens at.",
            )
        return found

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        """Read a small response completely; one that trickles in too slowly is aborted."""
        until = time.monotonic() + _ANSWERS * self.server.timeout_s
        content = bytearray()
        while piece := answer.read1(_CHUNK):
            content += piece
            if len(content) > _LARGEST_JSON:
                raise TargetError(f"The answer of {self.server.address} is too large to be true.")
            if time.monotonic() > until:
                raise TimeoutError
        return bytes(content)

    @contextmanager
    def _opened(
        self, method: str, path: str, data: bytes | IO[bytes] | None, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        address = self.server.address
        request = Request(address + path, data=data, headers=dict(headers), method=method)
        if self.server.authorization:
            # Unredirected, so that the login never goes to another host.
            request.add_unredirected_header("Authorization", self.server.authorization)
        try:
            with self._opener.open(request, timeout=self.server.timeout_s) as answer:
                yield answer
        except HTTPError as error:
            raise self._refusal(error) from None
        except (TimeoutError, URLError, OSError, http.client.HTTPException) as error:
            raise self._away(error) from None

    def _away(self, error: Exception) -> TargetError:
        reason = error.reason if isinstance(error, URLError) else error
        address = self.server.address
        if isinstance(reason, TimeoutError):
            return TargetError(
                f"The MLflow server at {address} did not answer within "
                f"{self.server.timeout_s:g} s.",
                hint="MLFLOW_HTTP_REQUEST_TIMEOUT sets how long it may take.",
            )
        text = getattr(reason, "strerror", None) or str(reason) or "no reason given"
        return TargetError(
            f"The MLflow server at {address} cannot be reached: {text.rstrip('.')}.",
            hint="Check that it is running.",
        )

    def _refusal(self, error: HTTPError) -> MlflowError:
        code, said = _error_body(error)
        address, hint = self.server.address, ""
        if error.code == 401:
            text, hint = f"The MLflow server at {address} wants a login.", login_hint(self.server)
        elif error.code == 403:
            text = f"The MLflow server at {address} does not allow this: {said or 'forbidden'}."
            hint = "Who runs the server gives the permission."
        elif 300 <= error.code < 400:
            text = f"{address} sends its callers elsewhere; give the address where MLflow answers."
        else:
            text = f"The MLflow server refused: {said or f'HTTP status {error.code}'}."
        return MlflowError(text, status=error.code, code=code, said=said, hint=hint)


class _NoRedirects(HTTPRedirectHandler):
    """Follows none: a login must not travel to where an answer points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _error_body(error: HTTPError) -> tuple[str, str]:
    """Return MLflow's error code and message, or empty texts if the server is another."""
    try:
        found = json.loads(error.read(_LARGEST_JSON))
        text = " ".join(str(found.get("message") or "").split())
        return str(found.get("error_code") or ""), text[:500].rstrip(".")
    except (ValueError, AttributeError, OSError, http.client.HTTPException):
        return "", ""
