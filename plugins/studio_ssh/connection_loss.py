"""Exceptions of paramiko on a lost link, and the ends of channels, in order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

import paramiko

LOST = (paramiko.SSHException, OSError, EOFError)
"""Exceptions that any call can raise when the link is lost."""


class _Closes(Protocol):
    def close(self) -> object: ...


def finish(channel: paramiko.Channel) -> None:
    """Send the end of input to the far side, but never after the channel's close.

    paramiko's own ``shutdown_write`` lets go of the channel between its decision and the sending.
    If the far side closes just then, the close is answered first, and a server that gets an EOF for
    a channel that it has forgotten ends the whole connection (OpenSSH: "ieof packet referred to
    nonexistent channel"). Forwarded connections are closed when both ends have said so.
    """
    with channel.lock:
        message = channel._send_eof()  # type: ignore[attr-defined]
        if message is not None:
            channel.transport._send_user_message(message)  # type: ignore[union-attr]


def hang_up(*ends: _Closes) -> None:
    """Close each, also when its link has gone.

    A channel's close sends a farewell. Between the loss of a link and the moment in which
    paramiko's own thread has noticed it, that send raises.
    """
    for end in ends:
        with contextlib.suppress(*LOST):
            end.close()


@contextlib.contextmanager
def hanging_up(*ends: _Closes) -> Iterator[None]:
    """Close the connection at the end of a block without replacing its result or error."""
    try:
        yield
    finally:
        hang_up(*ends)
