"""A connection to a board behind jump hosts, and the question whether the board is still there."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import paramiko

from studio_ssh.address import Address
from studio_ssh.connection_loss import LOST, hang_up

_REFUSED = "refused"
"""Answer of a jump host if the board's system answers without an SSH server."""


class JumpConnection(paramiko.Transport):
    """A connection through jump hosts, which ends theirs with its own.

    Attributes:
        before: The jump hosts, the last one leads to the board.
        board: The board, as the last jump host knows it.
    """

    before: Sequence[paramiko.Transport] = ()
    board: Address | None = None

    def close(self) -> None:
        with contextlib.suppress(*LOST):
            super().close()  # the connection may be gone already
        close_all(self.before)


def close_all(before: Sequence[paramiko.Transport]) -> None:
    """End the connections to jump hosts, the farthest first."""
    for jump in reversed(before):
        jump.close()


def leads_on(transport: JumpConnection, seconds: float) -> bool:
    """Return whether the last jump host can still reach the board.

    Acknowledgements of the first link tell nothing of the second. A connection is answered by the
    board's system, also while its SSH server has no time.
    """
    if not transport.before or transport.board is None:
        return True
    place = (transport.board.host, transport.board.port)
    try:
        way = transport.before[-1].open_channel(
            "direct-tcpip", place, ("127.0.0.1", 0), timeout=seconds
        )
    except paramiko.ChannelException as error:
        return _REFUSED in str(error).lower()
    except LOST:
        return False
    hang_up(way)
    return True
