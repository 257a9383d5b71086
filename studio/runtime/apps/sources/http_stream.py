"""Answers of HTTP cameras, read in pieces with limits of time and size."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from typing import Dict, Tuple
from urllib.parse import unquote, urlsplit

_PIECE = 65536

_Request = Tuple[http.client.HTTPConnection, str, Dict[str, str]]


class CameraAnswer:
    """An open answer to a GET request.

    Attributes:
        content_type: As the camera gives it.
        length: Bytes of the content; -1 where the camera does not give it.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        """Send the request and read the head of the answer.

        Args:
            url: ``http://`` or ``https://``, with ``user:password@`` for basic authentication.
            timeout_s: Seconds for each wait.

        Raises:
            OSError: when the camera does not answer, or without success.
        """
        self._link, target, headers = _request(url, timeout_s)
        try:
            self._link.request("GET", target, headers=headers)
            self._answer = self._link.getresponse()
            if self._answer.status != 200:
                raise OSError("the camera answers with {}".format(self._answer.status))
        except (OSError, http.client.HTTPException) as error:
            self._link.close()
            raise _in_words(error) from error
        self.content_type = str(self._answer.getheader("Content-Type") or "")
        self.length = -1 if self._answer.length is None else int(self._answer.length)

    def piece(self) -> bytes:
        """Return what is there, up to 64 kB; nothing at the end.

        Raises:
            OSError: when nothing comes in time.
        """
        try:
            return self._answer.read1(_PIECE)
        except (OSError, http.client.HTTPException) as error:
            raise _in_words(error) from error

    def close(self) -> None:
        """Close the connection."""
        self._answer.close()
        self._link.close()


def _request(url: str, timeout_s: float) -> _Request:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OSError("{} is no address of a camera".format(parts.scheme or "url"))
    headers = {"Accept": "*/*"}
    if parts.username is not None:
        name = "{}:{}".format(unquote(parts.username), unquote(parts.password or ""))
        headers["Authorization"] = "Basic " + base64.b64encode(name.encode()).decode("ascii")
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    link: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        link = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout_s, context=context
        )
    else:
        link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout_s)
    return link, target, headers


def _in_words(error: BaseException) -> OSError:
    if isinstance(error, socket.timeout):
        return OSError("the camera does not answer")
    if isinstance(error, ssl.SSLCertVerificationError):
        return OSError("the certificate of the camera is not valid")
    if isinstance(error, OSError):
        return OSError(str(error.strerror or error))
    return OSError("the camera does not answer in HTTP")
