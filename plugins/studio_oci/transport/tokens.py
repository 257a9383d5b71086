"""Logins of requests: basic, or bearer tokens of the server that a registry names."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from studio.api import TargetError
from studio_oci.address import RegistryPlace
from studio_oci.transport.logins import Login, Logins

_PARAMETER = re.compile(r'([A-Za-z_]+)="([^"]*)"')
_LONGEST = 64 << 10
_UNSAFE = re.compile(r"[^\x21-\x7e]")


class _Body(Protocol):
    """Answer of a server of tokens."""

    @property
    def body(self) -> bytes:
        """Content of the answer."""


class Tokens:
    """Keeps the login of each scope for one session.

    Args:
        get: Asks an address, with an ``Authorization`` header and a form, which may be empty.
    """

    def __init__(
        self, place: RegistryPlace, logins: Logins, get: Callable[[str, str, bytes], _Body]
    ) -> None:
        self._place = place
        self._logins = logins
        self._get = get
        self._known: dict[str, str] = {}
        self._login: Login | None = None

    def header(self, scope: str) -> str:
        """Return the header for a scope; empty before the registry has required one."""
        return self._known.get(scope, "")

    def answer(self, challenge: str, scope: str) -> str:
        """Return the header that a refused request lacked; empty where no login is stored.

        Args:
            challenge: The header ``WWW-Authenticate`` of the refusal.

        Raises:
            TargetError: when the server of tokens cannot be used.
        """
        kind, _, rest = challenge.partition(" ")
        login = self._stored()
        if kind.lower() == "basic":
            found = login.basic
        elif kind.lower() == "bearer":
            found = f"Bearer {self._token(dict(_PARAMETER.findall(rest)), scope, login)}"
        else:
            return ""
        if found:
            self._known[scope] = found
        return found

    def _stored(self) -> Login:
        if self._login is None:
            self._login = self._logins.of(self._place.host)
        return self._login

    def _token(self, given: Mapping[str, str], scope: str, login: Login) -> str:
        realm = given.get("realm") or ""
        scheme = urlsplit(realm).scheme
        if scheme != "https" and not (scheme == "http" and self._place.plain):
            raise TargetError(
                f"The registry {self._place.host} wants a login at {realm[:200]!r}, which has no "
                "TLS."
            )
        query = {"service": given.get("service") or "", "scope": scope}
        if login.identity:
            more = {"grant_type": "refresh_token", "client_id": "edgewright"}
            form = urlencode({**query, **more, "refresh_token": login.identity})
            return self._in(self._get(realm, "", form.encode()).body)
        joint = "&" if urlsplit(realm).query else "?"
        return self._in(self._get(f"{realm}{joint}{urlencode(query)}", login.basic, b"").body)

    def _in(self, body: bytes) -> str:
        try:
            found = json.loads(body)
            token = str(found.get("token") or found.get("access_token") or "")
        except (ValueError, AttributeError, RecursionError):
            token = ""
        if not token or len(token) > _LONGEST or _UNSAFE.search(token):
            raise TargetError(f"The registry {self._place.host} has a login without a token.")
        return token
