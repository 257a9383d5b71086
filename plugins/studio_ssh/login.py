"""The login to a board: with a key file, the agent's keys, or the usual files."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from studio.api import TargetError
from studio_ssh.address import Address
from studio_ssh.route import Hop

_USUAL = ("id_ed25519", "id_ecdsa", "id_rsa")


def log_in(transport: paramiko.Transport, hop: Hop) -> None:
    """Try the keys one by one.

    Raises:
        TargetError: when the server accepts no key, or no key exists.
    """
    address, tried = hop.address, 0
    ended: list[tuple[Path, str]] = []
    for key in _keys(hop, ended):
        tried += 1
        try:
            transport.auth_publickey(address.user, key)
        except paramiko.BadAuthenticationType as error:
            raise TargetError(
                f"{address} accepts no keys for {address.user}, only: "
                f"{', '.join(error.allowed_types)}.",
                hint="Allow public keys on the board; passwords are not supported.",
            ) from None
        except paramiko.AuthenticationException:
            if not transport.is_active():
                break  # too many keys for this server
            continue
        if transport.is_authenticated():
            return
    raise _ended(address, *ended[0]) if ended else _refused(address, tried)


def _keys(hop: Hop, ended: list[tuple[Path, str]]) -> Iterator[paramiko.PKey]:
    """Yield the named keys, each with its certificate first; then the agent's and the usual ones.

    Args:
        ended: Gets each certificate whose time is over, and when that was.
    """
    for name in hop.keys:
        path = Path(name).expanduser()
        try:
            key = _load(path)
        except TargetError:
            if hop.strict:
                raise
            continue  # the configuration may name keys that only the agent has
        for certificate in _certificates(path, hop.certificates):
            if when := _over(certificate):
                ended.append((certificate, when))
                continue
            with contextlib.suppress(OSError, ValueError, paramiko.SSHException):
                certified = _load(path)
                certified.load_certificate(str(certificate))
                yield certified
        yield key
    if not hop.strict:
        yield from _others(hop)


def _others(hop: Hop) -> Iterator[paramiko.PKey]:
    """Yield the agent's keys (with ``IdentitiesOnly``: the named ones) and the usual files."""
    named = {_public(Path(f"{name}.pub").expanduser()) for name in hop.keys}
    with closing(paramiko.Agent()) as agent:
        for key in agent.get_keys():
            if hop.agent or key.get_base64() in named:
                yield key
    for name in _USUAL if hop.agent else ():
        path = Path("~/.ssh").expanduser() / name
        if path.is_file() and str(path) not in hop.keys:
            try:
                yield _load(path)
            except TargetError:
                continue  # it may need a passphrase, and the user did not name it


def _public(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").split()[1]
    except (OSError, UnicodeDecodeError, IndexError):
        return ""


def _certificates(key: Path, named: tuple[str, ...]) -> list[Path]:
    """Return the named certificates, and the one next to the key."""
    places = [*(Path(name).expanduser() for name in named), Path(f"{key}-cert.pub")]
    return [place for place in places if place.is_file()]


def _over(certificate: Path) -> str | None:
    """Return when a certificate expired, or None if it is valid or unreadable."""
    try:
        found = load_ssh_public_identity(certificate.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm):
        return None
    if not isinstance(found, SSHCertificate) or found.valid_before > time.time():
        return None
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(found.valid_before))


def _ended(address: Address, certificate: Path, when: str) -> TargetError:
    return TargetError(
        f"{address} refuses the login: the certificate {certificate} ended on {when} UTC.",
        hint="Have a new one signed, and put it in its place.",
    )


def _load(path: Path) -> paramiko.PKey:
    try:
        return paramiko.PKey.from_path(path)
    except OSError as error:
        raise TargetError(f"The key {path} cannot be read: {error.strerror}.") from None
    except (paramiko.PasswordRequiredException, TypeError):
        raise TargetError(
            f"The key {path} is protected by a passphrase.", hint=f"Run: ssh-add {path}"
        ) from None
    except (paramiko.SSHException, ValueError, UnsupportedAlgorithm):
        raise TargetError(f"{path} is not a private key that can be used.") from None


def _refused(address: Address, tried: int) -> TargetError:
    if not tried:
        return TargetError(
            f"No SSH key to log in to {address} with.",
            hint="Name a key file for this target, or add one to the SSH agent.",
        )
    keys = "the key" if tried == 1 else f"any of {tried} keys"
    return TargetError(
        f"{address} refuses the login of {address.user} with {keys}.",
        hint=f"Put your public key into ~{address.user}/.ssh/authorized_keys on the board.",
    )
