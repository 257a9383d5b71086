"""An HTTP connection to a server of ours: plain, or TLS with one pinned certificate."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ssl
from typing import Mapping


class WrongCertificate(OSError):
    """The other side shows another certificate than the pinned one."""


class PinnedConnection(http.client.HTTPSConnection):
    """TLS connection to the holder of one certificate's key, whatever its name or issuer.

    No authority signs a board's own certificate, and it answers under many names (through a
    tunnel it is the loopback). Its SHA-256, learned over a trusted way, proves more than either.
    Nothing of a request is sent before the certificate was compared.
    """

    def __init__(self, host: str, port: int, fingerprint: str, timeout: float) -> None:
        """Remember what is to be shown.

        Args:
            fingerprint: SHA-256 of the certificate (DER) in hexadecimal.
            timeout: Seconds of silence.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        super().__init__(host, port, timeout=timeout, context=context)
        self._fingerprint = fingerprint

    def connect(self) -> None:
        """Connect and compare.

        Raises:
            WrongCertificate: when it is another one.
        """
        super().connect()
        shown = hashlib.sha256(self.sock.getpeercert(binary_form=True) or b"").hexdigest()
        if not hmac.compare_digest(shown, self._fingerprint):
            self.close()
            raise WrongCertificate(
                "the server shows another certificate ({}...) than the one of its deployment "
                "({}...)".format(shown[:12], self._fingerprint[:12])
            )


def connect(
    report: Mapping[str, object], host: str, port: int, timeout: float
) -> http.client.HTTPConnection:
    """Return a connection that is opened with its first request.

    Args:
        report: The server's own report (``server.json``): its scheme and fingerprint.
    """
    if report.get("scheme") == "https":
        return PinnedConnection(host, port, str(report.get("fingerprint")), timeout)
    return http.client.HTTPConnection(host, port, timeout=timeout)


def authorization(token: str) -> Mapping[str, str]:
    """Return the header that shows a token; none without one."""
    return {"Authorization": "Bearer " + token} if token else {}
