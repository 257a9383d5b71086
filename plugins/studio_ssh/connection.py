"""A connection that was opened strictly, and that notices when the link is dead."""

from __future__ import annotations

import errno
import socket
import struct
from pathlib import Path
from typing import NamedTuple

import paramiko

from studio.api import TargetError, TargetSpec
from studio_ssh.address import Address
from studio_ssh.hostkey import HostKey, check, confirmed, preferred
from studio_ssh.login import log_in

CONNECT_S = 10.0
DEAD_LINK_S = 7.0
"""Without an acknowledgement for this long, a link counts as cut: noticed within ten seconds."""

HANDSHAKE_S = 15.0
_KEEPALIVE_S = 2
_DISABLED = {
    "macs": ["hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96"],
    "ciphers": ["3des-cbc"],
}
_TCP_INFO_UNACKED = 24
_TCP_INFO_LAST_ACK = 56
_TCP_INFO_BYTES = 120
"""Of Linux 4.2 and later: 64 bits that were acknowledged, and 64 that were received."""


class Moved(NamedTuple):
    """Bytes that a connection has carried; both 0 where the system does not tell."""

    sent: int
    received: int


def connect(target: TargetSpec, known_hosts: Path) -> paramiko.Transport:
    """Open a connection, check the host key, log in.

    Raises:
        UnknownHost, ChangedHost: before anything secret is sent.
        TargetError: in one sentence.
    """
    address = Address.parse(target.url)
    link = _open(address)
    transport: paramiko.Transport | None = None
    try:
        transport = paramiko.Transport(link, disabled_algorithms=_DISABLED)
        _greet(transport, target, address, known_hosts)
        log_in(transport, target, address)
        transport.set_keepalive(_KEEPALIVE_S)
        return transport
    except BaseException as error:
        if transport is not None:
            transport.close()
        link.close()
        if isinstance(error, paramiko.SSHException | EOFError | OSError):
            raise _no_ssh(address, error) from None
        raise


def seconds_without_answer(transport: paramiko.Transport) -> float:
    """How long data has been waiting for the other side to acknowledge anything; 0: none waits."""
    option = getattr(socket, "TCP_INFO", None)
    link = transport.sock
    if option is None or not isinstance(link, socket.socket):
        return 0.0
    try:
        info = link.getsockopt(socket.IPPROTO_TCP, option, 104)
        (unacknowledged,) = struct.unpack_from("I", info, _TCP_INFO_UNACKED)
        (last_ms,) = struct.unpack_from("I", info, _TCP_INFO_LAST_ACK)
    except (OSError, struct.error):
        return 0.0
    return last_ms / 1e3 if unacknowledged else 0.0


def bytes_moved(transport: paramiko.Transport) -> Moved:
    """What the other side's system has acknowledged, and what came from it."""
    option = getattr(socket, "TCP_INFO", None)
    link = transport.sock
    if option is None or not isinstance(link, socket.socket):
        return Moved(0, 0)
    try:
        info = link.getsockopt(socket.IPPROTO_TCP, option, 136)
        return Moved(*struct.unpack_from("QQ", info, _TCP_INFO_BYTES))
    except (OSError, struct.error):
        return Moved(0, 0)


def _greet(
    transport: paramiko.Transport, target: TargetSpec, address: Address, known_hosts: Path
) -> None:
    """Exchange keys and judge the board's."""
    keys = confirmed(target, address, known_hosts)
    options = transport.get_security_options()
    options.key_types = preferred(keys, tuple(options.key_types))
    transport.banner_timeout = transport.auth_timeout = HANDSHAKE_S
    transport.start_client(timeout=HANDSHAKE_S)
    check(HostKey.of(transport.get_remote_server_key()), keys, address)


def _open(address: Address) -> socket.socket:
    try:
        link = socket.create_connection((address.host, address.port), CONNECT_S)
    except socket.gaierror:
        raise TargetError(
            f"There is no host called {address.host}.", hint="Check the target's address."
        ) from None
    except ConnectionRefusedError:
        raise TargetError(
            f"{address.host} refuses connections on port {address.port}.",
            hint="Check that its SSH server runs, and the port.",
        ) from None
    except TimeoutError:
        raise TargetError(
            f"{address} did not answer within {CONNECT_S:g} s.",
            hint="Check that it is switched on and reachable.",
        ) from None
    except OSError as error:
        raise TargetError(_unreachable(address, error)) from None
    _notice_dead_links(link)
    return link


def _notice_dead_links(link: socket.socket) -> None:
    """Let the system end a connection whose other side is silent.

    Timeouts of a blocked write do not help: a cut link accepts data until its buffer is full, and
    then waits for ever.
    """
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", 5),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", int(DEAD_LINK_S * 1000)),
    ):
        if hasattr(socket, name):
            link.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _unreachable(address: Address, error: OSError) -> str:
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return f"There is no way to {address} from here (no route)."
    return f"{address} cannot be reached: {error.strerror or error}."


def _no_ssh(address: Address, error: BaseException) -> TargetError:
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return TargetError(
            f"{address} offers no algorithm that is safe enough.",
            hint="Update its SSH server.",
            detail=str(error),
        )
    return TargetError(
        f"{address} ended the conversation before the login was done.",
        hint="Check that an SSH server listens there, and its log.",
        detail=f"{type(error).__name__}: {error}",
    )
