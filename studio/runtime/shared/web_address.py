"""Web addresses that a program posts to."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import http.client


_METADATA = tuple(
    ipaddress.ip_network(text)
    for text in ("169.254.169.0/24", "169.254.170.0/24", "100.100.100.200/32", "fd00:ec2::/32")
)
"""Services of clouds that give logins to each process of a machine."""
_WITHIN_IPV6 = tuple(ipaddress.ip_network(text) for text in ("::ffff:0:0/96", "64:ff9b::/96"))
"""IPv6 addresses that end in an IPv4 address."""


def require_receiver(address: str) -> None:
    """Refuse an IP address of a metadata service.

    Raises:
        OSError: for such an address.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if any(ip in network for network in _WITHIN_IPV6):
        ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if any(ip in network for network in _METADATA):
        raise OSError("its address {} is a metadata service, not a receiver".format(address))


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

    def require_receiver(self) -> None:
        """Refuse a host that is a metadata service by any spelling of its address.

        Raises:
            OSError: for such a host, and for one whose name is not known.
        """
        for found in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            require_receiver(str(found[4][0]))

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
