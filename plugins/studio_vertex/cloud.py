"""Calls of Google's REST services with the user's own credentials, and long operations."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import google.auth
import requests
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from studio.api import Progress, TargetError, Unavailable
from studio_vertex.address import Address
from studio_vertex.refusals import GoogleRefusal, failure, refusal

Json = dict[str, Any]

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_PATIENCE_S = 60.0
_RETRIES = 5
_NOBODY = "Log in with: gcloud auth application-default login"


class Cloud:
    """A session with the services at one address. Not thread-safe.

    Args:
        poll_s: Seconds between two questions for progress.
    """

    def __init__(self, address: Address, poll_s: float) -> None:
        self.address = address
        self.poll_s = poll_s
        self.credentials = _credentials()
        self._session: Any = AuthorizedSession(self.credentials)

    def close(self) -> None:
        """End it."""
        self._session.close()

    def get(self, path: str, what: str, query: Mapping[str, object] | None = None) -> Json:
        """Read a resource."""
        return self.call("GET", path, what, query=query)

    def find(self, path: str, what: str, service: str = "aiplatform") -> Json | None:
        """Read a resource; return None if it does not exist."""
        try:
            return self.call("GET", path, what, service=service)
        except GoogleRefusal as error:
            if error.reason == "NOT_FOUND":
                return None
            raise

    def pages(self, path: str, key: str, what: str, **query: object) -> Iterator[Json]:
        """Yield all entries of a list."""
        token = ""
        while True:
            more = {"pageToken": token} if token else {}
            answer = self.get(path, what, {**query, **more})
            yield from answer.get(key) or ()
            token = str(answer.get("nextPageToken") or "")
            if not token:
                return

    def call(
        self,
        method: str,
        path: str,
        what: str,
        body: Mapping[str, Any] | None = None,
        *,
        service: str = "aiplatform",
        query: Mapping[str, object] | None = None,
    ) -> Json:
        """Send one request, and repeat it when Google throttles.

        Raises:
            GoogleRefusal: when the service refuses the request.
            TargetError: when it does not answer.
        """
        url = self.address.url(service, path)
        arguments = {"json": body, "params": dict(query or {})}
        response = self._patiently(method, url, what, arguments)
        content = _json(response)
        if response.status_code >= 400:
            raise refusal(what, response.status_code, content)
        return content if isinstance(content, dict) else {}

    def raw(self, path: str, content: bytes, what: str, media_type: str) -> requests.Response:
        """Send a body as it is, and give back the answer as it is.

        Raises:
            GoogleRefusal: as ``call`` does.
        """
        url = self.address.url("aiplatform", path)
        arguments = {"data": content, "headers": {"Content-Type": media_type}}
        response = self._patiently("POST", url, what, arguments)
        if response.status_code >= 400:
            raise refusal(what, response.status_code, _json(response))
        return response

    def wait(self, operation: Json, what: str, progress: Progress, timeout_s: float) -> Json:
        """Wait for the end of an operation; an interrupt does not stop it at Google.

        Raises:
            GoogleRefusal: when it fails.
            TargetError: when the time is up.
        """
        began = time.monotonic()
        while not operation.get("done"):
            passed = time.monotonic() - began
            if passed > timeout_s:
                raise TargetError(
                    f"{what} is not done after {timeout_s:.0f} s; it goes on at Google.",
                    hint="Deploy again later to resume.",
                )
            progress.progress(0, 0, f"{what} ({passed:.0f} s)")
            progress.check()
            time.sleep(self.poll_s)
            operation = self.get(f"v1/{operation['name']}", what)
        if operation.get("error"):
            raise failure(what, operation["error"])
        return dict(operation.get("response") or {})

    def _patiently(
        self, method: str, url: str, what: str, arguments: Mapping[str, Any]
    ) -> requests.Response:
        """Send a request; repeat it when throttled, or when a read finds the service busy."""
        for attempt in range(_RETRIES):
            response = self._send(method, url, what, arguments)
            status = response.status_code
            # A 503 is repeated for reads only: a write may have been carried out.
            busy = status == 429 or (status == 503 and method == "GET")
            if not busy or attempt == _RETRIES - 1 or _is_quota(response):
                break
            time.sleep(_pause(response, self.poll_s * 2**attempt))
        return response

    def _send(
        self, method: str, url: str, what: str, arguments: Mapping[str, Any]
    ) -> requests.Response:
        try:
            response: requests.Response = self._session.request(
                method, url, timeout=_PATIENCE_S, allow_redirects=False, **arguments
            )
            return response
        except GoogleAuthError as error:
            raise GoogleRefusal(what, "UNAUTHENTICATED", _first(error)) from None
        except requests.Timeout:
            raise TargetError(f"{what} failed: Google gave no answer in time.") from None
        except requests.RequestException as error:
            raise TargetError(
                f"{what} failed: Google cannot be reached.",
                hint="Check the network connection and the spelling of the region.",
                detail=str(error),
            ) from None


def _credentials() -> Any:
    """Return the credentials that Google's own library finds, without storing them.

    Raises:
        Unavailable: where there are none.
        TargetError: where they cannot be used.
    """
    try:
        found, _ = google.auth.default(scopes=[_SCOPE])
    except DefaultCredentialsError as error:
        raise Unavailable(
            "There are no Google credentials that can be used here.",
            hint=_NOBODY,
            detail=str(error),
        ) from None
    except (GoogleAuthError, ValueError, OSError) as error:
        raise TargetError(
            "The Google credentials cannot be used.", hint=_NOBODY, detail=str(error)
        ) from None
    return found


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return {}


def _is_quota(response: requests.Response) -> bool:
    """Return whether a refusal is an exceeded quota, which a retry does not cure."""
    return "quota" in response.text.lower() and "per minute" not in response.text.lower()


def _pause(response: requests.Response, otherwise: float) -> float:
    try:
        return min(float(response.headers.get("Retry-After", "")), 60.0)
    except ValueError:
        return min(otherwise, 60.0)


def _first(error: Exception) -> str:
    return str(error.args[0] if error.args else error)
