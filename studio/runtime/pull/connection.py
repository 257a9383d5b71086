"""Requests to the server: TLS, the token, limits of size and time, and Retry-After."""

from __future__ import annotations

import email.utils
import http.client
import json
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress
from typing import Dict, Iterator, Mapping, NamedTuple, Optional
from urllib.parse import unquote, urlsplit

from .errors import PullError, TryLater
from .settings import PullSettings

TIMEOUT_S = 30.0
HEAD_S = 60.0
"""From the first byte of a request to the end of its answer's head."""
_CUT_S = 0.1
_MOST_JSON = 1 << 20
_ANSWER_S = 120.0
_LATER = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_S = 86400.0
_SKEW_S = 300.0
_KIND = "application/hal+json, application/json"


class Origin(NamedTuple):
    """Scheme, host and port of an address."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Take it from an address.

        Raises:
            PullError: when it has no host.
        """
        try:
            parts = urlsplit(url)
            scheme = parts.scheme.lower()
            port = parts.port or (443 if scheme == "https" else 80)
            host = parts.hostname or ""
        except ValueError:
            host = ""
        if not host:
            raise PullError("The server names an address that cannot be used.")
        return cls(scheme, host.lower(), port)


class ServerConnection:
    """One connection to the server, opened with its first request.

    Attributes:
        skew_s: Seconds by which this board's clock exceeds the server's, as last seen.
    """

    def __init__(self, settings: PullSettings, token: str, authority: str = "") -> None:
        """Remember where to connect.

        Args:
            authority: File of the authority of the server's certificate; empty for the system's.
        """
        self._settings = settings
        self._token = token
        self._authority = authority
        self._origin = Origin.of(settings.server)
        self._open: Optional[http.client.HTTPConnection] = None
        self.skew_s = 0.0

    def path_of(self, href: str, below: str) -> str:
        """Return the path of a link of the server.

        Args:
            below: Path of this board; no link may lead out of it.

        Raises:
            PullError: when the link leads to another host, tenant or board.
        """
        parts = urlsplit(href)
        named = parts.scheme or parts.netloc
        if named and ("@" in parts.netloc or Origin.of(href) != self._origin):
            raise PullError("The server links to another host ({}).".format(parts.netloc[:200]))
        if _has_dots(parts.path) or not (parts.path == below or parts.path.startswith(below + "/")):
            raise PullError(
                "The server links to what is not for this board ({}).".format(_short(href))
            )
        if not all(33 <= ord(one) <= 126 for one in href):
            raise PullError("The server names an address that cannot be used.")
        return parts.path + ("?" + parts.query if parts.query else "")

    def get(self, path: str) -> Dict[str, object]:
        """Return a JSON object of the server."""
        with self.request("GET", path) as response:
            return _document(_content(response))

    def send(self, method: str, path: str, document: Mapping[str, object]) -> None:
        """Send a JSON object."""
        with self.request(method, path, json.dumps(document).encode()) as response:
            _content(response)

    @contextmanager
    def request(
        self,
        method: str,
        path: str,
        body: Optional[bytes] = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request and yield its answer, whose status is in the 200s.

        Raises:
            TryLater: when the server is away or busy, or its certificate cannot be verified.
            PullError: when it refuses the request.
        """
        try:
            response = self._answer(method, path, body, dict(headers or {}))
            self._judge(response)
            yield response
            if not response.isclosed():
                self.close()  # the rest of an answer nobody wants
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise TryLater(self._reason(error)) from None
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _answer(
        self, method: str, path: str, body: Optional[bytes], headers: Dict[str, str]
    ) -> http.client.HTTPResponse:
        headers.setdefault("Accept", _KIND)
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token:
            headers["Authorization"] = "{} {}".format(self._settings.token_kind, self._token)
        reused = self._open is not None
        connection = self._open = self._open or self._connection()
        try:
            return _sent(connection, method, path, body, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            if not reused:
                raise
        # The server has closed a connection that was idle; the requests may be repeated.
        connection = self._open = self._connection()
        return _sent(connection, method, path, body, headers)

    def _connection(self) -> http.client.HTTPConnection:
        origin = self._origin
        if origin.scheme == "http":
            return http.client.HTTPConnection(origin.host, origin.port, timeout=TIMEOUT_S)
        context = ssl.create_default_context(cafile=self._authority or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return http.client.HTTPSConnection(
            origin.host, origin.port, timeout=TIMEOUT_S, context=context
        )

    def _judge(self, response: http.client.HTTPResponse) -> None:
        date = _seconds_of(response.getheader("Date"))
        if date is not None:
            self.skew_s = time.time() - date
        if 200 <= response.status < 300:
            return
        status = response.status
        if status in _LATER:
            raise TryLater(
                "The server is busy (status {}).".format(status),
                _retry_after(response.getheader("Retry-After"), date),
            )
        if status in (401, 403):
            raise TryLater(
                "The server does not accept the token of this board ({}).".format(status)
            )
        if 300 <= status < 400:
            raise PullError("The server sends this board elsewhere, which is not followed.")
        raise PullError("The server refuses the request (status {}).".format(status))

    def _reason(self, error: Exception) -> str:
        if isinstance(error, ssl.SSLError):
            reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or error
            text = "The certificate of the server cannot be verified: {}.".format(reason)
            return text + self.clock_note()
        reason = getattr(error, "strerror", None) or str(error) or "no reason given"
        return "The server {} cannot be reached: {}.".format(self._origin.host, reason)

    def clock_note(self) -> str:
        """Return a sentence on a clock that differs from the server's; empty when it does not."""
        if abs(self.skew_s) < _SKEW_S:
            return ""
        side = "fast" if self.skew_s > 0 else "slow"
        return " The clock of this board is {:.1f} h {} by the server's.".format(
            abs(self.skew_s) / 3600, side
        )


def _sent(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: Optional[bytes],
    headers: Mapping[str, str],
) -> http.client.HTTPResponse:
    """Send a request and return its answer, of which the head is read."""
    with _deadline(connection, HEAD_S):
        connection.request(method, path, body, headers)
        return connection.getresponse()


def _has_dots(path: str) -> bool:
    """Return whether a path goes up, also where a server would decode it once or twice."""
    spellings = (path, unquote(path), unquote(unquote(path)))
    return any(
        part in (".", "..") for text in spellings for part in text.replace("\\", "/").split("/")
    )


@contextmanager
def _deadline(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """Cut a connection whose answer does not begin in time.

    The time-out of a socket begins again with each byte, so that a trickle would hold it for ever.

    Raises:
        TryLater: when it was cut.
    """
    late, done = threading.Event(), threading.Event()

    def cut() -> None:
        late.set()
        while not done.wait(_CUT_S):  # it may be connecting still
            with suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException):
        if late.is_set():
            raise TryLater("The answer of the server arrives too slowly.") from None
        raise
    finally:
        timer.cancel()
        done.set()
    if late.is_set():
        raise TryLater("The answer of the server arrives too slowly.")


def _content(response: http.client.HTTPResponse) -> bytes:
    """Return a small answer whole.

    Raises:
        PullError: when it is too large, or arrives too slowly.
    """
    until, content = time.monotonic() + _ANSWER_S, bytearray()
    while True:
        piece = response.read1(1 << 16)
        if not piece:
            return bytes(content)
        content += piece
        if len(content) > _MOST_JSON:
            raise PullError("The answer of the server is too large to be true.")
        if time.monotonic() > until:
            raise TryLater("The answer of the server arrives too slowly.")


def _document(content: bytes) -> Dict[str, object]:
    try:
        found = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise PullError("The server's answer is not a JSON object.")
    return found


def _retry_after(text: Optional[str], server_time: Optional[float]) -> float:
    """Return the seconds of a Retry-After header, which may be a date of the server's clock."""
    text = (text or "").strip()
    if text.isdigit():
        return min(float(text[:9]), _LONGEST_S)
    wanted = _seconds_of(text)
    if wanted is None:
        return 0.0
    now = time.time() if server_time is None else server_time
    return min(max(0.0, wanted - now), _LONGEST_S)


def _seconds_of(text: Optional[str]) -> Optional[float]:
    try:
        return email.utils.parsedate_to_datetime(text or "").timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:200] + "..."
