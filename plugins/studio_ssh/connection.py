"""A connection that was opened strictly, and that notices when the link is dead."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import paramiko

from studio.api import ChangedHost, Refused, TargetError, TargetSpec, UnknownHost
from studio_ssh.address import Address
from studio_ssh.config import Config
from studio_ssh.connection_loss import LOST, hang_up
from studio_ssh.hostkey import HostKey, check, confirmed, preferred
from studio_ssh.jump import JumpConnection, close_all
from studio_ssh.login import log_in
from studio_ssh.route import Hop, route_to

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


class BytesCarried(NamedTuple):
    """Bytes that a connection has carried; both 0 where the system does not tell."""

    sent: int
    received: int


def connect(
    target: TargetSpec, known_hosts: Path, config: Config | None = None
) -> paramiko.Transport:
    """Open a connection, check the host key, log in; through jump hosts where the route has them.

    Raises:
        UnknownHost, ChangedHost: before anything secret is sent.
        Refused: when a jump host's key is not among the user's known ones.
        TargetError: in one sentence.
    """
    route = route_to(target, known_hosts, Config.read() if config is None else config)
    before: list[paramiko.Transport] = []
    try:
        for hop in route.jumps:
            before.append(_jump(hop, before))
        return _enter(route.board, target.host_key, before)
    except BaseException:
        close_all(before)
        raise


def link_of(transport: paramiko.Transport) -> socket.socket | None:
    """Return the socket below a connection: that to the first jump host if it has one."""
    link = transport.sock
    while isinstance(link, paramiko.Channel):
        link = link.get_transport().sock
    return link if isinstance(link, socket.socket) else None


def _enter(hop: Hop, host_key: str, before: Sequence[paramiko.Transport]) -> paramiko.Transport:
    """Connect to one server, directly or through the one before."""
    link = _through(before[-1], hop.address) if before else _open(hop.address)
    transport: paramiko.Transport | None = None
    try:
        kind = JumpConnection if before else paramiko.Transport
        transport = kind(link, disabled_algorithms=_DISABLED)
        _greet(transport, host_key, hop)
        log_in(transport, hop)
        transport.set_keepalive(_KEEPALIVE_S)
        if isinstance(transport, JumpConnection):
            transport.before, transport.board = tuple(before), hop.address
        return transport
    except BaseException as error:
        if transport is not None:
            transport.close()
        hang_up(link)
        if isinstance(error, LOST):
            raise _no_ssh(hop.address, error) from None
        raise


def _jump(hop: Hop, before: Sequence[paramiko.Transport]) -> paramiko.Transport:
    """Connect to a jump host; its key is the business of ``ssh`` and known_hosts."""
    try:
        return _enter(hop, "", before)
    except UnknownHost as error:
        raise Refused(
            f"The host key of the jump host {hop.address} was never confirmed; it presents "
            f"{error.fingerprint}.",
            hint=f"Log in to it once with ssh {hop.address.user}@{hop.address.host}, compare the "
            "key, and say yes.",
        ) from None
    except ChangedHost as error:
        raise Refused(f"The jump host: {error.message}", hint=error.hint) from None
    except TargetError as error:
        raise TargetError(
            f"Jump host refused the connection: {error.message}",
            hint=error.hint,
            detail=error.detail,
        ) from None


def _through(jump: paramiko.Transport, address: Address) -> paramiko.Channel:
    try:
        return jump.open_channel(
            "direct-tcpip", (address.host, address.port), ("127.0.0.1", 0), timeout=CONNECT_S
        )
    except paramiko.ChannelException as error:
        forbidden = error.code == 1  # administratively prohibited, RFC 4254 section 5.1
        raise TargetError(
            f"The jump host does not forward connections to {address}."
            if forbidden
            else f"The jump host cannot reach {address}.",
            hint="Allow it there (AllowTcpForwarding, PermitOpen)."
            if forbidden
            else "Check the board's address as the jump host sees it, and that it is switched on.",
            detail=str(error),
        ) from None
    except LOST as error:
        raise TargetError(
            f"{address} did not answer through the jump host within {CONNECT_S:g} s.",
            hint="Check that it is switched on, and its address as the jump host sees it.",
            detail=str(error),
        ) from None


def seconds_without_answer(transport: paramiko.Transport) -> float:
    """Return how long sent data has waited for an acknowledgement, or 0 if none waits."""
    option = getattr(socket, "TCP_INFO", None)
    link = link_of(transport)
    if option is None or link is None:
        return 0.0
    try:
        info = link.getsockopt(socket.IPPROTO_TCP, option, 104)
        (unacknowledged,) = struct.unpack_from("I", info, _TCP_INFO_UNACKED)
        (last_ms,) = struct.unpack_from("I", info, _TCP_INFO_LAST_ACK)
    except (OSError, struct.error):
        return 0.0
    return last_ms / 1e3 if unacknowledged else 0.0


def bytes_moved(transport: paramiko.Transport) -> BytesCarried:
    """Return the bytes that the other side has acknowledged, and those received."""
    option = getattr(socket, "TCP_INFO", None)
    link = link_of(transport)
    if option is None or link is None:
        return BytesCarried(0, 0)
    try:
        info = link.getsockopt(socket.IPPROTO_TCP, option, 136)
        return BytesCarried(*struct.unpack_from("QQ", info, _TCP_INFO_BYTES))
    except (OSError, struct.error):
        return BytesCarried(0, 0)


def _greet(transport: paramiko.Transport, host_key: str, hop: Hop) -> None:
    """Exchange keys and check the server's."""
    keys = confirmed(host_key, hop.known_as, hop.known_hosts)
    options = transport.get_security_options()
    options.key_types = preferred(keys, tuple(options.key_types))
    # One pass for both secrecy and integrity; the others hash every byte a second time.
    options.ciphers = sorted(options.ciphers, key=lambda name: "gcm" not in name)
    transport.banner_timeout = transport.auth_timeout = HANDSHAKE_S
    transport.start_client(timeout=HANDSHAKE_S)
    check(HostKey.of(transport.get_remote_server_key()), keys, hop.address)


def _open(address: Address) -> socket.socket:
    try:
        link = socket.create_connection((address.host, address.port), CONNECT_S)
    except socket.gaierror:
        raise TargetError(
            f"Unknown host {address.host}.", hint="Check the target's address."
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
            f"{address} offers no supported SSH algorithm.",
            hint="Update its SSH server.",
            detail=str(error),
        )
    return TargetError(
        f"{address} ended the conversation before the login was done.",
        hint="Check that an SSH server listens there, and its log.",
        detail=f"{type(error).__name__}: {error}",
    )
