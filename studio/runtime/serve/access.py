"""Who may ask and how it is carried: the bearer token and TLS."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Mapping, Optional

from .errors import CannotListen

VARIABLE = "EDGEWRIGHT_TOKEN"


def token_of(file: Optional[Path], environment: Mapping[str, str]) -> str:
    """The token that clients must send; empty when everybody may ask.

    Raises:
        CannotListen: when the file cannot be read, or the token could not stand in a header.
    """
    token = environment.get(VARIABLE, "")
    place = "$" + VARIABLE
    if file is not None:
        place = str(file)
        try:
            token = file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not plain text"
            raise CannotListen("The token {} cannot be read: {}.".format(file, reason)) from error
        if not token:
            raise CannotListen("The token file {} is empty.".format(file))
    if not all("!" <= character <= "~" for character in token):
        raise CannotListen("The token in {} has spaces or odd characters.".format(place))
    return token


def tls_of(certificate: Optional[Path], key: Optional[Path]) -> Optional[ssl.SSLContext]:
    """How TLS is spoken; None for plain HTTP.

    Raises:
        CannotListen: when the certificate or the key cannot be used.
    """
    if certificate is None or key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # A key that asks for a password would wait for a terminal for ever.
        context.load_cert_chain(str(certificate), str(key), password=lambda: "")
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        sentence = "The certificate {} or its key cannot be used: {}."
        raise CannotListen(sentence.format(certificate, reason)) from error
    return context
