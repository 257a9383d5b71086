"""A release's side of the gate: borrows the listening socket while it is its turn."""

from __future__ import annotations

import asyncio
import socket
from array import array
from typing import Optional

from ..shared.listener_turns import Turns
from .http.server import Entrance, HttpServer

_POLL_S = 0.1
_ANSWER_S = 5.0
_GRACE_S = 5.0
"""An idle connection gets that long to ask once more, and to hear that it ends."""


class Borrower:
    """Follows the turns for as long as the server runs."""

    def __init__(self, turns: Turns, release: str, server: HttpServer) -> None:
        self._turns = turns
        self._release = release
        self._server = server
        self._door: Optional[socket.socket] = None
        self._entrance: Optional[Entrance] = None

    async def follow(self) -> None:
        """Accept clients at the gate's port while it is this release's turn."""
        while True:
            mine = self._turns.current() == self._release
            if self._door is not None and not mine:
                await self._retire()
            elif self._door is not None and _ended(self._door):
                await self._leave()
            if self._door is None and mine:
                await self._enter()
            await asyncio.sleep(_POLL_S)

    async def _enter(self) -> None:
        try:
            door, listener = _borrow(self._turns)
        except OSError:  # the gate is not there yet, or just ended
            return
        self._door = door
        self._entrance = await self._server.listen_also(listener)
        self._turns.confirm(self._release)

    async def _retire(self) -> None:
        """The turn is over: clients come back to the one whose it is, after their next answer.

        This one may run on, for as long as another is on trial.
        """
        if self._entrance is not None:
            await self._server.retire(self._entrance, _GRACE_S)
        self._entrance = None
        await self._leave()

    async def _leave(self) -> None:
        """Accept no more; the open connections continue."""
        if self._entrance is not None:
            await self._entrance.close()
        if self._door is not None:
            self._door.close()
        self._entrance = self._door = None


def _borrow(turns: Turns) -> tuple[socket.socket, socket.socket]:
    """Return the connection to the gate, and the listening socket.

    Raises:
        OSError: when there is no gate.
    """
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.settimeout(_ANSWER_S)
    numbers = array("i", [-1])
    try:
        door.connect(str(turns.socket))
        _, rights, _, _ = door.recvmsg(1, socket.CMSG_SPACE(numbers.itemsize))
        if not rights:
            raise OSError("the gate has ended")
        numbers = array("i", rights[0][2][: numbers.itemsize])
    except OSError:
        door.close()
        raise
    door.setblocking(False)
    listener = socket.socket(fileno=numbers[0])
    listener.setblocking(False)
    return door, listener


def _ended(door: socket.socket) -> bool:
    try:
        return not door.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True
