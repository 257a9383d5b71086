"""Parser of ``allowed_signers`` (see ssh-keygen(1)): names and their signing keys."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import NamedTuple

_KEYS = ("ssh-", "ecdsa-", "sk-", "rsa-")


class Signer(NamedTuple):
    """One line of ``allowed_signers``.

    Attributes:
        kind: Of the key, as OpenSSH writes it: ``ssh-ed25519``.
        fingerprint: As ``ssh-keygen -l`` prints it; empty for a malformed key.
        limits: Options in front of the key: ``valid-before="20270101"``.
    """

    name: str
    kind: str
    fingerprint: str
    limits: str


def signers_in(text: str) -> list[Signer]:
    """Return the lines that name a key; comments and unreadable lines are left out."""
    found = []
    for line in text.splitlines():
        words = line.split()
        place = next((n for n, word in enumerate(words) if n and word.startswith(_KEYS)), 0)
        if place and not words[0].startswith("#") and place + 1 < len(words):
            limits = " ".join(words[1:place])
            mark = fingerprint(words[place + 1])
            found.append(Signer(words[0].strip('"'), words[place], mark, limits))
    return found


def fingerprint(key: str) -> str:
    """Return ``SHA256:`` and the digest of a base64 public key; empty for a malformed one."""
    try:
        content = base64.b64decode(key.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return ""
    return "SHA256:" + base64.b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
