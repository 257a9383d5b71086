"""Self-signed certificates: made by the library ``cryptography`` or by the program ``openssl``."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

DAYS = 825
"""Longer lives are refused by some clients that have the certificate among their authorities."""

_COMMON_NAME = "edgewright"
_PATIENCE_S = 60.0

_CONFIG = """\
[req]
prompt = no
distinguished_name = name
x509_extensions = extensions
[name]
CN = {name}
[extensions]
basicConstraints = critical, CA:TRUE, pathlen:0
subjectAltName = {alternatives}
"""


class CannotMake(Exception):
    """Neither the library nor the program is here."""


def self_signed(names: Sequence[str], folder: Path) -> str:
    """Return a new key (P-256) and its certificate, as one text in PEM.

    Args:
        names: Host names and addresses under which the server is called.
        folder: A private folder, for what the program writes.

    Raises:
        CannotMake: when this machine has nothing to make it with.
    """
    try:
        return _with_library(names)
    except ImportError:
        return _with_program(names, folder)


def _with_library(names: Sequence[str]) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _COMMON_NAME)])
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    day = datetime.timedelta(days=1)
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(one)) if is_address(one) else x509.DNSName(one)
        for one in names
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)  # the clocks of the clients may be behind
        .not_valid_after(now + DAYS * day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (private + certificate.public_bytes(pem)).decode("ascii")


def _with_program(names: Sequence[str], folder: Path) -> str:
    program = shutil.which("openssl")
    if program is None:
        raise CannotMake
    kinds = [("IP:" if is_address(one) else "DNS:") + one for one in names]
    with tempfile.TemporaryDirectory(dir=str(folder)) as aside:  # mode 0700
        config, key, certificate = (Path(aside, name) for name in ("config", "key", "certificate"))
        config.write_text(_CONFIG.format(name=_COMMON_NAME, alternatives=", ".join(kinds)))
        command = [program, "req", "-x509", "-newkey", "ec", "-nodes", "-days", str(DAYS)]
        command += ["-pkeyopt", "ec_paramgen_curve:prime256v1", "-sha256"]
        command += ["-config", str(config), "-keyout", str(key), "-out", str(certificate)]
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
                timeout=_PATIENCE_S,
                env=dict(os.environ, LC_ALL="C"),
            )
        except (OSError, subprocess.SubprocessError):  # one of long ago, or one that is crippled
            raise CannotMake from None
        return key.read_text("ascii") + certificate.read_text("ascii")


def is_address(name: str) -> bool:
    """Return whether it is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
