"""Host keys: which are confirmed for a board, and whether the presented one is among them."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko

from studio.api import ChangedHost, UnknownHost
from studio_ssh.address import Address

_RSA_SIGNATURES = ("rsa-sha2-512", "rsa-sha2-256")


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key: its type, and its blob in base64."""

    kind: str
    blob: str

    @classmethod
    def parse(cls, text: str) -> HostKey | None:
        """Read ``"ssh-ed25519 AAAA..."``; None where that is not what it is."""
        words = text.split()
        return cls(words[0], words[1]) if len(words) >= 2 else None

    @classmethod
    def of(cls, key: paramiko.PKey) -> HostKey:
        """Return the public half of a key."""
        return cls(key.get_name(), key.get_base64())

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` prints it."""
        try:
            blob = base64.b64decode(self.blob, validate=True)
        except ValueError:
            return "unreadable"
        return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")

    def __str__(self) -> str:
        return f"{self.kind} {self.blob}"


def confirmed(own: str, known_as: str, files: Iterable[Path]) -> tuple[HostKey, ...]:
    """Return the confirmed keys: the target's own, else those of known_hosts files."""
    key = HostKey.parse(own)
    if key is not None:
        return (key,)
    hosts = paramiko.HostKeys()
    for path in files:
        # What cannot be read confirms nothing.
        with contextlib.suppress(OSError, paramiko.SSHException, ValueError):
            hosts.load(str(path))
    found = hosts.lookup(known_as)
    return () if found is None else tuple(HostKey.of(one) for one in found.values())


def preferred(keys: Sequence[HostKey], supported: Sequence[str]) -> tuple[str, ...]:
    """Return the order of requested key types: confirmed ones come first.

    A board has several keys. Without this it might present one of another type, and an unchanged
    board would look like a changed one.
    """
    first: list[str] = []
    for key in keys:
        first += _RSA_SIGNATURES if key.kind == "ssh-rsa" else (key.kind,)
    wanted = [kind for kind in first if kind in supported]
    return tuple(dict.fromkeys([*wanted, *supported]))


def check(presented: HostKey, keys: Sequence[HostKey], address: Address) -> None:
    """Accept a confirmed key alone.

    Raises:
        UnknownHost: when no key of this board was ever confirmed.
        ChangedHost: when it presents another, naming both fingerprints.
    """
    if presented in keys:
        return
    if not keys:
        raise UnknownHost(
            f"The host key of {address} was never confirmed; it presents "
            f"{presented.fingerprint} ({presented.kind}).",
            key=str(presented),
            fingerprint=presented.fingerprint,
            hint="Compare it with the board's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), "
            f"then confirm it: studio target add NAME ssh://{address.user}@{address} "
            f"--accept-host-key {presented.fingerprint}",
        )
    # Of several confirmed keys the one of the same type helps the user most.
    before = next((key for key in keys if key.kind == presented.kind), keys[0])
    raise ChangedHost(
        f"{address} presents another host key than the confirmed one: it was "
        f"{before.fingerprint}, and now is {presented.fingerprint}.",
        hint="If the board was reinstalled, remove the target and add it again. Otherwise "
        "the connection may be intercepted.",
    )
