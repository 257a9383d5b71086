"""Signatures for OpenSSF's tools; their own verifier is asked in tests/integration/openssf."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import to_json
from studio.packages import Bundle
from studio.packages.openssf import export
from studio.packages.signing import sign
from studio.packages.step import SignOptions
from tests.rigs.bundles import QuietJob, make_bundle

PEM = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle"))


def write_key(path: Path, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(curve)
    path.write_bytes(key.private_bytes(*PEM))
    return key


@pytest.mark.parametrize(
    ("curve", "method"),
    [
        (ec.SECP256R1(), hashes.SHA256()),
        (ec.SECP384R1(), hashes.SHA384()),
        (ec.SECP521R1(), hashes.SHA512()),
    ],
    ids=lambda one: str(getattr(one, "name", "")),
)
def test_the_envelope_is_signed_and_names_every_file(
    bundle: Bundle, tmp_path: Path, curve: ec.EllipticCurve, method: hashes.HashAlgorithm
) -> None:
    key = write_key(tmp_path / "key.pem", curve)
    found = json.loads(export(bundle, tmp_path / "key.pem", tmp_path / "out.sig").read_text())
    assert found["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    envelope = found["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    (signature,) = envelope["signatures"]
    key.public_key().verify(base64.b64decode(signature["sig"]), message, ec.ECDSA(method))

    said = json.loads(payload)
    resources = {one["name"]: one["digest"] for one in said["predicate"]["resources"]}
    here = {
        str(path.relative_to(bundle.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in bundle.folder.rglob("*")
        if path.is_file()
    }
    assert resources == here
    digests = [bytes.fromhex(one["digest"]) for one in said["predicate"]["resources"]]
    (subject,) = said["subject"]
    assert subject["digest"] == {"sha256": hashlib.sha256(b"".join(digests)).hexdigest()}


def test_the_step_writes_either_or_both(bundle: Bundle, tmp_path: Path) -> None:
    write_key(tmp_path / "key.pem", ec.SECP256R1())
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(tmp_path / "ssh")], check=True
    )
    job: Any = QuietJob(tmp_path / "job")
    asked = SignOptions(bundle.folder, openssf=tmp_path / "key.pem")
    alone = sign(asked, job)
    assert alone.openssf == str(bundle.folder.with_name(bundle.folder.name + ".sig"))
    assert "signature" not in to_json(alone)
    try:
        # One ECDSA key as OpenSSH writes it is good for both.
        ssh = tmp_path / "ssh"
        both = sign(replace(asked, openssf=ssh, key=ssh, out=tmp_path / "o"), job)
        assert both.signature
        assert Path(both.signature).is_file()
        assert both.openssf == str(tmp_path / "o")
    finally:
        (bundle.folder / "manifest.json.sig").unlink(missing_ok=True)
    with pytest.raises(UsageError, match="Missing signing key"):
        sign(SignOptions(bundle.folder), job)


def test_keys_that_will_not_do_say_why(bundle: Bundle, tmp_path: Path) -> None:
    other = ed25519.Ed25519PrivateKey.generate()
    (tmp_path / "ed25519").write_bytes(other.private_bytes(*PEM))
    write_key(tmp_path / "bitcoin", ec.SECP256K1())
    (tmp_path / "noise").write_text("-----BEGIN EC PRIVATE KEY-----\nnothing\n")
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        *PEM[:2], serialization.BestAvailableEncryption(b"secret")
    )
    (tmp_path / "locked").write_bytes(locked)
    for name, wanted in {
        "ed25519": "takes keys on P-256, P-384 or P-521 only",
        "bitcoin": "takes keys on P-256, P-384 or P-521 only",
        "noise": "is not a private key",
        "locked": "protected by a passphrase",
        "absent": "cannot be read: No such file",
    }.items():
        with pytest.raises(StudioError, match=wanted) as caught:
            export(bundle, tmp_path / name, tmp_path / "out")
        assert "\n" not in caught.value.message
    assert not (tmp_path / "out").exists()


def test_it_never_lies_in_the_bundle(bundle: Bundle, tmp_path: Path) -> None:
    write_key(tmp_path / "key.pem", ec.SECP256R1())
    with pytest.raises(StudioError, match="cannot lie in the bundle's folder"):
        export(bundle, tmp_path / "key.pem", bundle.folder / "model.sig")
    Bundle.open(bundle.folder)
