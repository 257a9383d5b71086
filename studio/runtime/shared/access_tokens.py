"""Authentication of clients and transport security: bearer tokens and TLS."""

from __future__ import annotations

import base64
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Mapping, Optional, Tuple

from .errors import CannotListen

if TYPE_CHECKING:
    import ssl

VARIABLE = "EDGEWRIGHT_TOKEN"
_LOOK_EVERY_S = 1.0
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def tokens_of(file: Optional[Path], environment: Mapping[str, str]) -> Tuple[str, ...]:
    """Read the tokens that clients may send, one per line; empty without authentication.

    Raises:
        CannotListen: when the file cannot be read, or a token could not stand in a header.
    """
    place = "$" + VARIABLE
    text = environment.get(VARIABLE, "")
    if file is not None:
        place = str(file)
        try:
            text = file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not plain text"
            raise CannotListen("The token {} cannot be read: {}.".format(file, reason)) from error
        if not text.strip():
            raise CannotListen("The token file {} is empty.".format(file))
    tokens = tuple(filter(None, map(str.strip, text.split("\n"))))
    if not all("!" <= character <= "~" for token in tokens for character in token):
        raise CannotListen("The token in {} has spaces or odd characters.".format(place))
    return tokens


class Tokens:
    """Set of the bearer tokens that are valid now.

    The file is checked once a second, and whenever an unknown token arrives: a new token is valid
    with its first request, an old one ends with its line. Tokens change without a restart. A file
    that becomes unreadable or empty changes nothing: it must neither lock all clients out nor
    admit unauthenticated ones.
    """

    def __init__(self, file: Optional[Path], environment: Mapping[str, str]) -> None:
        self._file = file
        self._mark = mark_of(file)
        self._store(tokens_of(file, environment))
        self._looked = time.monotonic()

    @property
    def required(self) -> bool:
        """Whether clients must send one."""
        return bool(self._known)

    def admit(self, header: str) -> bool:
        """Return whether the value of an Authorization header holds a valid token.

        All are compared, each in constant time, so that timing reveals nothing about them.
        """
        given = header.encode("latin-1")
        if time.monotonic() - self._looked > _LOOK_EVERY_S:
            self._reload()
        return self._match(given) or (self._reload() and self._match(given))

    def _match(self, given: bytes) -> bool:
        import hmac  # not in the supervisor, which checks no tokens and stays small

        found = False
        for known in self._known:
            found |= hmac.compare_digest(given, known)
        return found

    def _reload(self) -> bool:
        """Read the file again if it has changed; return whether it has."""
        self._looked = time.monotonic()
        mark = mark_of(self._file)
        if self._file is None or mark is None or mark == self._mark:
            return False
        self._mark = mark
        try:
            self._store(tokens_of(self._file, {}))
        except CannotListen:
            return False
        return True

    def _store(self, tokens: Tuple[str, ...]) -> None:
        self._known = tuple(("Bearer " + token).encode("ascii") for token in tokens)


def mark_of(file: Optional[Path]) -> Optional[Tuple[int, int, int]]:
    """Return a mark that changes with the content of a file."""
    if file is None:
        return None
    try:
        found = os.stat(str(file))
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def tls_of(certificate: Optional[Path], key: Optional[Path]) -> Optional[ssl.SSLContext]:
    """How TLS is spoken; None for plain HTTP.

    Raises:
        CannotListen: when the certificate or the key cannot be used.
    """
    if certificate is None or key is None:
        return None
    import ssl  # the supervisor, which needs only what is above, stays small

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    load_chain(context, certificate, key)
    return context


def load_chain(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Show this certificate to clients that come from now on.

    Raises:
        CannotListen: when the certificate or the key cannot be used.
    """
    try:
        # A key that asks for a password would wait for a terminal for ever.
        context.load_cert_chain(str(certificate), str(key), password=lambda: "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        sentence = "The certificate {} or its key cannot be used: {}."
        raise CannotListen(sentence.format(certificate, reason)) from error


def fingerprint_of(certificate: Path) -> str:
    """Return the hexadecimal SHA-256 of a PEM file's first certificate, or an empty string."""
    import hashlib  # not where there is no certificate: the supervisor stays small

    try:
        text = certificate.read_text(encoding="ascii")
        first = text[text.index(_BEGIN) + len(_BEGIN) : text.index(_END)]
        return hashlib.sha256(base64.b64decode(first)).hexdigest()
    except (OSError, ValueError):
        return ""
