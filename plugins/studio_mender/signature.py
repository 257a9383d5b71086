"""Signatures of artefacts as Mender makes them: RSA or ECDSA over the manifest, in Base64."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from studio.api import StudioError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_LARGEST_KEY = 1 << 16
_BYTES_OF_P256 = 32


def signer_of(key: Path) -> Callable[[bytes], bytes]:
    """Return a function that signs with a private key (PEM).

    RSA keys sign with PKCS #1 v1.5. Keys on the curve P-256 sign with ECDSA: two numbers of 32
    bytes each. Both are over SHA-256.

    Raises:
        UsageError: for any other key.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        found = load_pem_private_key(_read(key), None)
    except (ValueError, TypeError) as error:
        raise _unusable(key) from error
    if isinstance(found, rsa.RSAPrivateKey):
        return partial(_rsa, found)
    if isinstance(found, ec.EllipticCurvePrivateKey) and isinstance(found.curve, ec.SECP256R1):
        return partial(_ecdsa, found)
    raise _unusable(key)


def _rsa(key: RSAPrivateKey, text: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256()))


def _ecdsa(key: EllipticCurvePrivateKey, text: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    numbers = decode_dss_signature(key.sign(text, ec.ECDSA(hashes.SHA256())))
    return base64.b64encode(b"".join(one.to_bytes(_BYTES_OF_P256, "big") for one in numbers))


def _unusable(key: Path) -> UsageError:
    return UsageError(
        f"The key {key} cannot sign a Mender artefact.",
        hint="A PEM file without a password: an RSA key, or an EC key on the curve P-256.",
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_KEY)
    except OSError as error:
        raise StudioError(
            f"{path} cannot be read: {error.strerror}.", hint="Pass the private key as a PEM file."
        ) from None
