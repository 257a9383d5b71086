"""Requests to one registry: TLS, logins, redirects, and bounds on what comes back."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from studio.api import TargetError
from studio_oci.address import RegistryPlace, host_of, is_loopback
from studio_oci.transport.logins import Logins
from studio_oci.transport.refusals import RegistryRefusal, refusal_of
from studio_oci.transport.tokens import Tokens

PATIENCE_S = 60.0
LARGEST_DOCUMENT = 4 << 20
"""Bytes of a manifest or another document, as registries limit them."""

_ANSWERS = 4
"""A small answer has this many times the timeout to arrive whole."""

_CHUNK = 1 << 18
_MOST_REDIRECTS = 4
_REDIRECTS = (301, 302, 303, 307, 308)

Pieces = Callable[[], Iterable[bytes]]
"""A body that can be sent again, after the registry wanted a login."""

Body = bytes | Pieces | None


@dataclass(frozen=True, slots=True)
class RegistryAnswer:
    """Answer of a registry that was read completely."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Channel:
    """Sends requests to one registry.

    Args:
        patience_s: Longest wait for a sign of life, in seconds.
    """

    def __init__(
        self, place: RegistryPlace, logins: Logins, patience_s: float = PATIENCE_S
    ) -> None:
        self.place = place
        self._patience_s = patience_s
        self._root = f"{'http' if place.plain else 'https'}://{place.host}"
        self._context = None if place.plain else ssl.create_default_context()
        self._tokens = Tokens(place, logins, self._token)

    def ask(
        self,
        method: str,
        path: str,
        *,
        scope: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        most: int = LARGEST_DOCUMENT,
    ) -> RegistryAnswer:
        """Send a request and read its whole answer.

        Args:
            path: Path with query, or an address of the same registry.
            scope: What a token must allow: ``repository:NAME:pull``.
            most: Most bytes of the answer.

        Raises:
            RegistryRefusal: for any status of failure.
            TargetError: when the registry is away, or answers without end.
        """
        with self._opened(method, path, scope, headers or {}, body) as answer:
            content = b"" if method == "HEAD" else self._whole(answer, most)
            return RegistryAnswer(answer.status, _headers(answer), content)

    def send(
        self, method: str, path: str, *, scope: str, headers: Mapping[str, str], body: Pieces
    ) -> RegistryAnswer:
        """Send a body in pieces, whose length the headers have; see ``ask``."""
        with self._opened(method, path, scope, headers, body) as answer:
            return RegistryAnswer(
                answer.status, _headers(answer), self._whole(answer, LARGEST_DOCUMENT)
            )

    @contextmanager
    def fetch(self, path: str, *, scope: str) -> Iterator[Iterator[bytes]]:
        """Yield the content of a blob in pieces; it may come from another server."""
        with self._opened("GET", path, scope, {}, None, elsewhere=True) as answer:
            yield iter(lambda: answer.read1(_CHUNK), b"")

    @contextmanager
    def _opened(
        self,
        method: str,
        path: str,
        scope: str,
        headers: Mapping[str, str],
        body: Body,
        *,
        elsewhere: bool = False,
    ) -> Iterator[http.client.HTTPResponse]:
        with ExitStack() as ends:
            try:
                address = self._same_registry(urljoin(f"{self._root}/", path))
                login = self._tokens.header(scope)
                answer = self._send(ends, method, address, headers, body, login)
                challenge = answer.headers.get("WWW-Authenticate") or ""
                if answer.status == 401 and (login := self._tokens.answer(challenge, scope)):
                    answer = self._send(ends, method, address, headers, body, login)
                for _ in range(_MOST_REDIRECTS):
                    if answer.status not in _REDIRECTS:
                        break
                    address = self._redirected(address, answer, elsewhere)
                    answer = self._send(ends, method, address, {}, None, "")
                if not 200 <= answer.status < 300:
                    content = self._whole(answer, LARGEST_DOCUMENT)
                    raise refusal_of(self.place.host, answer, content)
                yield answer
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise self._away(error) from None

    def _send(
        self,
        ends: ExitStack,
        method: str,
        address: SplitResult,
        headers: Mapping[str, str],
        body: Body,
        login: str,
    ) -> http.client.HTTPResponse:
        """Send a request; the stack closes what it opens."""
        connection = self._connection(address)
        ends.callback(connection.close)
        path = f"{address.path or '/'}{'?' if address.query else ''}{address.query}"
        found = {"User-Agent": "edgewright", **headers}
        if login:
            found["Authorization"] = login
        content = body() if callable(body) else body
        connection.request(method, path, body=content, headers=found)
        answer = connection.getresponse()
        ends.callback(answer.close)
        return answer

    def _connection(self, address: SplitResult) -> http.client.HTTPConnection:
        host, port = address.hostname or "", address.port
        own = is_loopback(host) or proxy_bypass(host)
        proxy = None if own else getproxies().get(address.scheme)
        if proxy is None:
            return self._direct(address.scheme, host, port)
        through = urlsplit(proxy if "//" in proxy else f"//{proxy}")
        connection = self._direct(address.scheme, through.hostname or "", through.port)
        connection.set_tunnel(host, port)
        return connection

    def _direct(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._patience_s)
        context = self._context or ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=self._patience_s, context=context)

    def _same_registry(self, address: str) -> SplitResult:
        """Return an address of this registry; a login must not travel to another server."""
        parts = urlsplit(address)
        if _origin(parts) != _origin(urlsplit(self._root)):
            raise TargetError(
                f"The registry {self.place.host} sends its callers to another server: "
                f"{parts.netloc[:200]!r}."
            )
        return parts

    def _redirected(
        self, address: SplitResult, answer: http.client.HTTPResponse, elsewhere: bool
    ) -> SplitResult:
        target = urlsplit(urljoin(address.geturl(), answer.headers.get("Location") or ""))
        if not elsewhere:
            raise TargetError(
                f"The registry {self.place.host} sends its callers elsewhere, to "
                f"{target.netloc[:200]!r}, where no login may go."
            )
        if target.scheme != "https" and not (self.place.plain and target.scheme == "http"):
            raise TargetError(
                f"The registry {self.place.host} sends its callers to a server without TLS: "
                f"{target.netloc[:200]!r}."
            )
        return target

    def _token(self, address: str, login: str, form: bytes) -> RegistryAnswer:
        """Fetch a token from the server that the registry names."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        method, body = ("POST", form) if form else ("GET", None)
        with ExitStack() as ends:
            answer = self._send(ends, method, urlsplit(address), headers, body, login)
            content = self._whole(answer, LARGEST_DOCUMENT)
            if answer.status != 200:
                raise refusal_of(host_of(urlsplit(address).netloc), answer, content)
            return RegistryAnswer(answer.status, _headers(answer), content)

    def _whole(self, answer: http.client.HTTPResponse, most: int) -> bytes:
        """Read a small answer completely; one that trickles in too slowly is aborted."""
        until = time.monotonic() + _ANSWERS * self._patience_s
        content = bytearray()
        while piece := answer.read1(_CHUNK):
            content += piece
            if len(content) > most:
                raise TargetError(
                    f"The answer of the registry {self.place.host} is too large: more than "
                    f"{most:,} bytes."
                )
            if time.monotonic() > until:
                raise TimeoutError
        return bytes(content)

    def _away(self, error: Exception) -> TargetError:
        host = self.place.host
        if isinstance(error, TimeoutError):
            return TargetError(f"The registry {host} did not answer within {self._patience_s:g} s.")
        hint = "Check that it is running."
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "SSL_CERT_FILE names a file with the authorities that you trust."
        elif isinstance(error, ssl.SSLError):
            hint = "A registry without TLS is written oci+http://HOST."
        text: Any = getattr(error, "strerror", None) or error or "no reason given"
        return TargetError(
            f"The registry {host} cannot be reached: {str(text)[:300].rstrip('.')}.", hint=hint
        )


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return parts.scheme, parts.hostname or "", port


def _headers(answer: http.client.HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.getheaders()}


__all__ = ["LARGEST_DOCUMENT", "Channel", "RegistryAnswer", "RegistryRefusal"]
