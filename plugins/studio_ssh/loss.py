"""What paramiko raises on a link that has gone, and the end of what hung on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

import paramiko

LOST = (paramiko.SSHException, OSError, EOFError)
"""What any call over a connection can raise at the moment in which the link goes."""


class _Closes(Protocol):
    def close(self) -> object: ...


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
    """Hang up at the end of a block, whose own result or error stays what it is."""
    try:
        yield
    finally:
        hang_up(*ends)
