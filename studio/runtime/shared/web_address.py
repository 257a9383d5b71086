"""Web addresses that a program posts to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import http.client


class WebAddress(NamedTuple):
    """An address of a receiver.

    Attributes:
        secure: TLS is spoken, and the certificate verified.
        target: Path with its query.
    """

    secure: bool
    host: str
    port: int
    target: str

    def connection(self, timeout_s: float, ca: str = "") -> http.client.HTTPConnection:
        """Return a connection that is not open yet.

        Args:
            timeout_s: Seconds for each step of a request.
            ca: Certificate authority as PEM; empty for those of the system.
        """
        import http.client

        if self.secure:
            import ssl

            context = ssl.create_default_context(cadata=ca or None)
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=timeout_s, context=context
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)


def web_address(url: str) -> WebAddress:
    """Read an address.

    Raises:
        ValueError: when it is not ``http`` or ``https``, has no host, or names a user.
    """
    parts = urlsplit(url)
    port = parts.port
    plain = all(33 <= ord(one) <= 126 for one in url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("no web address")
    if not plain:
        raise ValueError("characters that no address has")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    return WebAddress(secure, parts.hostname, port or (443 if secure else 80), target)
