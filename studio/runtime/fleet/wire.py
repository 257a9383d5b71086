"""The socket of a connection to a broker, with or without TLS."""

from __future__ import annotations

import socket
import ssl
from typing import IO

from .settings import FleetSettings

_PEM = "-----BEGIN"


class Wire:
    """A socket with a buffered reader, on which TLS can begin later.

    Attributes:
        reader: What the broker sends.
    """

    def __init__(self, settings: FleetSettings, timeout_s: float) -> None:
        """Connect.

        Raises:
            OSError: when the broker does not answer.
        """
        self._settings = settings
        address = settings.address
        self._socket = socket.create_connection((address.host, address.port), timeout_s)
        # A login is several small messages, each of which would wait for an acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader: IO[bytes] = self._socket.makefile("rb")

    def begin_tls(self) -> None:
        """Speak TLS from now on.

        Raises:
            OSError: when the certificate is not valid, or a file cannot be read.
        """
        context = tls_context(self._settings)
        self.reader.close()
        try:
            self._socket = context.wrap_socket(
                self._socket, server_hostname=self._settings.address.host
            )
        except ssl.SSLCertVerificationError:
            raise OSError("its certificate is not valid") from None
        self.reader = self._socket.makefile("rb")

    def send(self, content: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(content)

    def exactly(self, size: int) -> bytes:
        """Read that many bytes.

        Raises:
            OSError: when the connection ends before.
        """
        content = self.reader.read(size)
        if content is None or len(content) != size:
            raise OSError("the broker has closed the connection")
        return content

    def close(self) -> None:
        """Close the socket."""
        for one in (self.reader, self._socket):
            try:
                one.close()
            except OSError:
                pass


def tls_context(settings: FleetSettings) -> ssl.SSLContext:
    """Return the context of TLS, which verifies the broker and may name the board."""
    ca = settings.ca or None
    if ca is not None and ca.lstrip().startswith(_PEM):
        context = ssl.create_default_context(cadata=ca)
    else:
        context = ssl.create_default_context(cafile=ca)
    if settings.certificate:
        context.load_cert_chain(settings.certificate, settings.key, password=lambda: "")
    return context
