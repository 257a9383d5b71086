"""Signatures of bundles in the format of OpenSSF Model Signing, for those whose tools verify that.

A Sigstore bundle (v0.3) holds a DSSE envelope around an in-toto statement, which names every file
of the folder with its SHA-256. The board does not ask for it: there the SSH signature counts.

Sources: the OpenSSF Model Signing specification 1.0, DSSE 1.0.2 (the bytes that are signed), and
in-toto attestation Statement v1.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.api import StudioError, Unavailable
from studio.packages.bundle import Bundle
from studio.runtime.shared.files import digest_of
from studio.runtime.shared.manifest import NAME, SIGNATURE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_MEDIA = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"
_HASHES = {"secp256r1": "SHA256", "secp384r1": "SHA384", "secp521r1": "SHA512"}
_CURVES = "P-256, P-384 or P-521"


def statement(bundle: Bundle) -> dict[str, Any]:
    """Return the signed statement: the folder's name, and each file with its digest.

    The SSH signature is left out, so that either can be made first, and made again.
    """
    files = {file.name: file.digest for file in bundle.files}
    files[NAME] = digest_of(bundle.folder / NAME)
    digests = [bytes.fromhex(files[name]) for name in sorted(files)]
    return {
        "_type": _STATEMENT,
        "subject": [
            {
                "name": bundle.folder.name,
                "digest": {"sha256": hashlib.sha256(b"".join(digests)).hexdigest()},
            }
        ],
        "predicateType": _PREDICATE,
        "predicate": {
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [SIGNATURE],
            },
            "resources": [
                {"name": name, "algorithm": "sha256", "digest": files[name]}
                for name in sorted(files)
            ],
        },
    }


def signed(bundle: Bundle, key: Path) -> str:
    """Return the signature of a bundle as JSON.

    Args:
        key: A private key on one of three curves, in PEM or as OpenSSH writes it.

    Raises:
        StudioError: when the key cannot be used.
    """
    private = _load(key.expanduser())
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    payload = json.dumps(statement(bundle), sort_keys=True).encode()
    method = getattr(hashes, _HASHES[private.curve.name])()
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    found = {
        "mediaType": _MEDIA,
        "verificationMaterial": {
            "publicKey": {"hint": hashlib.sha256(public).hexdigest()},
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": _PAYLOAD,
            "signatures": [
                {
                    "sig": base64.b64encode(
                        private.sign(_enveloped(payload), ec.ECDSA(method))
                    ).decode(),
                    "keyid": "",
                }
            ],
        },
    }
    return json.dumps(found)


def export(bundle: Bundle, key: Path, out: Path | None) -> Path:
    """Write the signature, by default next to the folder: inside, it would break the manifest.

    Raises:
        StudioError: when the key cannot be used, or the file cannot be written.
    """
    path = out or bundle.folder.with_name(bundle.folder.name + ".sig")
    if path.resolve().is_relative_to(bundle.folder.resolve()):
        raise StudioError(
            "The OpenSSF signature cannot lie in the bundle's folder, whose manifest names every "
            "file.",
            hint="Choose a file beside it.",
        )
    text = signed(bundle, key)
    try:
        path.write_text(text + "\n", "ascii")
    except OSError as error:
        raise StudioError(f"{path} cannot be written: {error.strerror}.") from None
    return path


def _enveloped(payload: bytes) -> bytes:
    """Return the bytes that DSSE signs (its pre-authentication encoding)."""
    return f"DSSEv1 {len(_PAYLOAD)} {_PAYLOAD} {len(payload)} ".encode() + payload


def _load(path: Path) -> EllipticCurvePrivateKey:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise Unavailable(
            "OpenSSF signatures are made by the library cryptography, which is not installed here."
        ) from None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StudioError(f"The key {path} cannot be read: {error.strerror}.") from None
    is_ssh = b"BEGIN OPENSSH PRIVATE KEY" in content
    load = serialization.load_ssh_private_key if is_ssh else serialization.load_pem_private_key
    try:
        key = load(content, password=None)
    except TypeError:
        raise _protected(path) from None
    except Exception as error:  # the library's own classes have no common base
        if "password" in str(error).lower() or "encrypted" in str(error).lower():
            raise _protected(path) from None
        raise StudioError(f"{path} is not a private key.", detail=str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name not in _HASHES:
        raise StudioError(
            f"OpenSSF model signing takes keys on {_CURVES} only, and {path} is another.",
            hint="Make one: openssl ecparam -name prime256v1 -genkey -noout -out signing.pem",
        )
    return key


def _protected(path: Path) -> StudioError:
    return StudioError(
        f"The key {path} is protected by a passphrase.",
        hint="OpenSSF signatures need a key without one; keep it where only you can read it.",
    )
