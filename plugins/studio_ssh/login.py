"""The login to a board: with a key file, the agent's keys, or the usual files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm

from studio.api import TargetError, TargetSpec
from studio_ssh.address import Address

_USUAL = ("id_ed25519", "id_ecdsa", "id_rsa")


def log_in(transport: paramiko.Transport, target: TargetSpec, address: Address) -> None:
    """Try the keys one by one.

    Raises:
        TargetError: when none is accepted, or there is none.
    """
    tried = 0
    for key in _keys(target):
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
    raise _refused(address, tried)


def _keys(target: TargetSpec) -> Iterator[paramiko.PKey]:
    chosen = target.settings.get("key_file")
    if chosen:
        yield _load(Path(chosen).expanduser())
        return
    agent = paramiko.Agent()
    try:
        yield from agent.get_keys()
    finally:
        agent.close()
    for name in _USUAL:
        path = Path("~/.ssh").expanduser() / name
        if path.is_file():
            try:
                yield _load(path)
            except TargetError:
                continue  # one that needs a passphrase was not asked for


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
            f"There is no key to log in to {address} with.",
            hint="Name a key file for this target, or add one to the SSH agent.",
        )
    keys = "the key" if tried == 1 else f"any of {tried} keys"
    return TargetError(
        f"{address} refuses the login of {address.user} with {keys}.",
        hint=f"Put your public key into ~{address.user}/.ssh/authorized_keys on the board.",
    )
