"""Calls of Azure Resource Manager and of an endpoint, with the user's own credentials."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from textwrap import shorten
from typing import Any

import requests
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential

from studio.api import Progress, TargetError, Unavailable
from studio_azureml.address import Address, is_safe
from studio_azureml.options import MANAGEMENT
from studio_azureml.refusals import AzureRefusal

Json = dict[str, Any]

LEARNING, INSIGHTS, METRICS = "2023-04-01", "2022-10-01", "2018-01-01"
"""Versions of the APIs."""
_ENDPOINTS = "https://ml.azure.com"
_PATIENCE_S = 60.0
_RETRIES = 5
_BUSY = ("Creating", "Updating", "Deleting", "Scaling")
_NOBODY = "Log in with: az login"


class Cloud:
    """A session with one subscription. Not thread-safe.

    Args:
        poll_s: Seconds between two questions for progress.
    """

    def __init__(self, address: Address, poll_s: float) -> None:
        self.address = address
        self.poll_s = poll_s
        self._credential = DefaultAzureCredential()
        self._session = requests.Session()

    def close(self) -> None:
        """End it."""
        self._session.close()
        self._credential.close()

    def who(self) -> str:
        """Return the user's name from the token that Azure issued."""
        parts = self._token("", "Logging in").split(".")
        try:
            # A JWT omits base64's padding.
            text = parts[1] + "=" * (-len(parts[1]) % 4)
            claims = json.loads(base64.urlsafe_b64decode(text))
        except (IndexError, ValueError):
            claims = {}
        names = ("upn", "unique_name", "app_displayname", "appid", "oid")
        return str(next((claims[name] for name in names if claims.get(name)), "an Azure identity"))

    def find(self, path: str, what: str, version: str = LEARNING) -> Json | None:
        """Read a resource; return None if it does not exist."""
        try:
            return self.call("GET", path, what, version=version)
        except AzureRefusal as error:
            if error.status == 404:
                return None
            raise

    def pages(self, path: str, what: str) -> Iterator[Json]:
        """Yield all entries of a list, or none if the parent does not exist."""
        answer = self.find(path, what) or {}
        while True:
            yield from answer.get("value") or ()
            following = str(answer.get("nextLink") or "")
            if not following:
                return
            answer = self._content(self._patiently("GET", self._own(following), what), what)

    def call(
        self,
        method: str,
        path: str,
        what: str,
        body: Mapping[str, Any] | None = None,
        *,
        version: str = LEARNING,
        query: Mapping[str, str] | None = None,
    ) -> Json:
        """Send one request, and repeat it when Azure throttles.

        Raises:
            AzureRefusal: when Azure refuses the request.
            TargetError: when it does not answer.
        """
        url = f"{self.address.management}{path}"
        more = {"params": {"api-version": version, **(query or {})}, "json": body}
        return self._content(self._patiently(method, url, what, **more), what)

    def change(
        self,
        method: str,
        path: str,
        what: str,
        progress: Progress,
        timeout_s: float,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Change a resource and wait for the end; an interrupt does not stop Azure.

        Raises:
            AzureRefusal: when it is refused, or fails later.
        """
        url = f"{self.address.management}{path}"
        query = {"api-version": LEARNING}
        response = self._patiently(method, url, what, params=query, json=body)
        self._content(response, what)
        operation = response.headers.get("Azure-AsyncOperation")
        if operation:
            self._follow(self._own(operation), what, progress, timeout_s)
        self.settle(path, what, progress, timeout_s)

    def settle(self, path: str, what: str, progress: Progress, timeout_s: float) -> Json | None:
        """Wait until a resource is not being changed; return None if it does not exist."""
        clock = _Clock(self, what, progress, timeout_s)
        while True:
            found = self.find(path, what)
            if found is None or state_of(found) not in _BUSY:
                return found
            clock.tick()

    def invoke(self, url: str, content: bytes, kind: str, key: str) -> requests.Response:
        """Send a request to an endpoint.

        Args:
            key: Of the endpoint; a token of the user where it is empty.

        Raises:
            AzureRefusal: when the endpoint refuses it.
        """
        what = "Asking the endpoint"
        if not is_safe(url):
            raise TargetError(f"{what} failed: its address is not encrypted.")
        token = key or self._token(_ENDPOINTS, what)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        response = self._send("POST", url, what, data=content, headers=headers)
        self._refuse(response, what)
        return response

    def _follow(self, url: str, what: str, progress: Progress, timeout_s: float) -> None:
        clock = _Clock(self, what, progress, timeout_s)
        while True:
            answer = self._content(self._patiently("GET", url, what), what)
            status = str(answer.get("status") or "")
            if status in ("Failed", "Canceled"):
                raise AzureRefusal(what, 0, answer.get("error") or {"code": status})
            if status == "Succeeded":
                return
            clock.tick()

    def _own(self, url: str) -> str:
        """Return a URL that Azure named if its host is Azure's, because the token is sent to it."""
        if url.startswith(f"{self.address.management}/"):
            return url
        raise TargetError("Azure named an address that is not its own; nothing was sent there.")

    def _patiently(self, method: str, url: str, what: str, **more: Any) -> requests.Response:
        """Send a request; repeat it when Azure throttles, or when a read finds the service busy."""
        headers = {"Authorization": f"Bearer {self._token('', what)}"}
        for attempt in range(_RETRIES):
            response = self._send(method, url, what, headers=headers, **more)
            status = response.status_code
            # A 503 is repeated for reads only: a write may have been carried out.
            busy = status == 429 or (status == 503 and method == "GET")
            if not busy or attempt == _RETRIES - 1:
                break
            time.sleep(_pause(response, self.poll_s * 2**attempt))
        return response

    def _send(self, method: str, url: str, what: str, **more: Any) -> requests.Response:
        try:
            # No redirects: the token must not go to another host.
            return self._session.request(
                method, url, timeout=_PATIENCE_S, allow_redirects=False, **more
            )
        except requests.Timeout:
            raise TargetError(f"{what} failed: Azure gave no answer in time.") from None
        except requests.RequestException as error:
            raise TargetError(
                f"{what} failed: Azure cannot be reached.",
                hint="Check the network connection.",
                detail=str(error),
            ) from None

    def _token(self, audience: str, what: str) -> str:
        """Return a token of the first of Azure's login methods that works, without storing it."""
        management = self.address.management
        scope = audience or (management if management.startswith("https:") else MANAGEMENT)
        try:
            return str(self._credential.get_token(f"{scope}/.default").token)
        except CredentialUnavailableError as error:
            raise Unavailable(
                "There are no Azure credentials that can be used here.",
                hint=_NOBODY,
                detail=str(error),
            ) from None
        except ClientAuthenticationError as error:
            denied = {"code": "AuthenticationFailed", "message": _first(error)}
            raise AzureRefusal(what, 401, denied) from None
        except AzureError as error:
            raise TargetError(f"{what} failed: {_first(error)}.", detail=str(error)) from None

    def _content(self, response: requests.Response, what: str) -> Json:
        self._refuse(response, what)
        try:
            content = response.json()
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    def _refuse(self, response: requests.Response, what: str) -> None:
        if response.status_code < 400:
            return
        try:
            error = response.json().get("error")
        except (ValueError, AttributeError):
            error = None
        given = (
            error
            if isinstance(error, dict)
            else {"message": shorten(response.text, 300, placeholder=" ...")}
        )
        raise AzureRefusal(what, response.status_code, given)


class _Clock:
    """Poll interval that also measures the time waited so far."""

    def __init__(self, cloud: Cloud, what: str, progress: Progress, timeout_s: float) -> None:
        self._cloud, self._what, self._progress = cloud, what, progress
        self._began, self._timeout_s = time.monotonic(), timeout_s

    def tick(self) -> None:
        passed = time.monotonic() - self._began
        if passed > self._timeout_s:
            raise TargetError(
                f"{self._what} is not done after {self._timeout_s:.0f} s; it goes on at Azure.",
                hint="Deploy again later to resume.",
            )
        self._progress.progress(0, 0, f"{self._what} ({passed:.0f} s)")
        self._progress.check()
        time.sleep(self._cloud.poll_s)


def state_of(resource: Mapping[str, Any]) -> str:
    """Return a resource's provisioning state."""
    return str((resource.get("properties") or {}).get("provisioningState") or "")


def _pause(response: requests.Response, otherwise: float) -> float:
    try:
        return min(float(response.headers.get("Retry-After", "")), 60.0)
    except ValueError:
        return min(otherwise, 60.0)


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ["no reason given"]
    return lines[0].rstrip(".")
