"""The signature of an evidence folder: an SSHSIG of its list, which plain OpenSSH can verify."""

from __future__ import annotations

import base64
import binascii
import os
import re
import shutil
import subprocess
from pathlib import Path

from studio.api import InvalidData, Unavailable, UsageError
from studio.features.evidence.folder.manifest import MANIFEST, SIGNATURE, read_bytes
from studio.packages.signing import signature_of
from studio.runtime.release.intake.signature import signer_of
from studio.runtime.shared.errors import ReleaseError
from studio.settings.files import write_atomically

NAMESPACE = "edgewright-evidence"
_MOST_BYTES = 64 * 1024
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_WIDTH = 70
_PATIENCE_S = 30.0
_GOOD = re.compile(rf'Good "{NAMESPACE}" signature with (\S+) key (\S+)')


def sign(folder: Path, key: Path) -> None:
    """Sign the list of a folder.

    Raises:
        StudioError: when the key cannot be used.
    """
    text = signature_of((folder / MANIFEST).read_bytes(), key, NAMESPACE)
    write_atomically(folder / SIGNATURE, _armour(_payload(text)).encode())


def signer(folder: Path, allowed: Path) -> str:
    """Return who signed the list, of some allowed signers.

    Raises:
        InvalidData: when none of them did, or the list or its signature was altered.
        UsageError: when the signers cannot be read.
    """
    if not allowed.is_file():
        raise UsageError(f"No such file: {allowed}.", hint="Pass allowed signers: --signers FILE")
    try:
        text = read_bytes(folder / SIGNATURE, _MOST_BYTES).decode("ascii")
        content = read_bytes(folder / MANIFEST)
    except (OSError, UnicodeDecodeError):
        raise InvalidData(f"The signature of {folder} cannot be read.") from None
    try:
        return signer_of(allowed, content, text, NAMESPACE)
    except ReleaseError as error:
        raise InvalidData(
            f"The signature of {folder} is not by an allowed signer, or does not fit.",
            hint=f"The signers are in {allowed}. {error.detail}".strip(),
        ) from None


def signing_key(folder: Path) -> str:
    """Return type and fingerprint of the key that signed the list, known or not.

    Raises:
        InvalidData: when the signature does not fit the list.
        Unavailable: when OpenSSH is missing.
    """
    program = shutil.which("ssh-keygen")
    if program is None:
        raise Unavailable(
            f"The signature of {folder} cannot be checked: ssh-keygen is not installed.",
            hint="Install the OpenSSH client: apt install openssh-client",
        )
    command = [program, "-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(folder / SIGNATURE)]
    try:
        output = subprocess.run(
            command,
            input=read_bytes(folder / MANIFEST),
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        output = b""
    match = _GOOD.match(output.decode("utf-8", "replace"))
    if match is None:
        raise InvalidData(f"The signature of {folder} does not fit {MANIFEST}.")
    return " ".join(match.groups())


def is_signed(folder: Path) -> bool:
    """Return whether a folder has a signature, valid or not."""
    path = folder / SIGNATURE
    return path.is_symlink() or path.exists()


def is_spelled(folder: Path) -> bool:
    """Return whether the signature's text has the one spelling that ``sign`` writes.

    Base64 has spare bits, and OpenSSH passes over line ends: without this check, a byte of the file
    could change unseen.
    """
    try:
        text = read_bytes(folder / SIGNATURE, _MOST_BYTES).decode("ascii")
        return _armour(_payload(text)) == text
    except (OSError, ValueError):
        return False


def _payload(text: str) -> bytes:
    """Return the bytes inside the armour of an SSHSIG (PROTOCOL.sshsig).

    Raises:
        ValueError: when the text has none.
    """
    lines = text.split("\n")
    if lines[0] != _BEGIN or _END not in lines:
        raise ValueError("no armour")
    try:
        return base64.b64decode("".join(lines[1 : lines.index(_END)]), validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _armour(payload: bytes) -> str:
    text = base64.b64encode(payload).decode()
    lines = [text[place : place + _WIDTH] for place in range(0, len(text), _WIDTH)]
    return "\n".join([_BEGIN, *lines, _END, ""])
