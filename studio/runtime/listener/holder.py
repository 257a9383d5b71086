"""Process that holds the port: it accepts nothing itself, it lends the listening socket.

All releases that borrow it accept from one queue. The socket stays open while the gate runs, so
no client is refused while one release ends and another starts. A release needs no network of its
own, for the socket belongs to the gate's.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import time
from array import array

from ..shared.errors import CannotListen
from ..shared.listener_turns import Turns
from ..shared.sockets import listen

_PATIENCE_S = 15.0
_PAUSE_S = 0.1


class Holder:
    """Holder of a listening socket until a signal ends it."""

    def __init__(self, turns: Turns, host: str, port: int) -> None:
        self._turns = turns
        self._host = host
        self._port = port
        self._running = True

    def run(self) -> int:
        """Lend the socket to each process that connects; return the exit status.

        Raises:
            CannotListen: when the address is taken.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        with self._listen() as listener, self._door() as door:
            host, port = listener.getsockname()[:2]
            print(json.dumps({"event": "listening", "host": host, "port": port}), flush=True)
            self._lend(listener, door)
        return 0

    def _listen(self) -> socket.socket:
        """Listen; a release may need a moment to let go of the socket of a gate that crashed."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return listen(self._host, self._port)
            except CannotListen:
                if time.monotonic() > deadline or not self._turns.socket.exists():
                    raise
                time.sleep(_PAUSE_S)

    def _door(self) -> socket.socket:
        """Where releases ask; the one of an earlier gate is replaced in one step."""
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        aside = self._turns.socket.with_name(".gate.sock")
        if aside.exists():
            aside.unlink()
        door.bind(str(aside))
        # Every process that sees the folder is one of the releases, which may run as another user.
        os.chmod(str(aside), 0o666)
        door.listen(16)
        door.setblocking(False)
        os.replace(str(aside), str(self._turns.socket))
        return door

    def _lend(self, listener: socket.socket, door: socket.socket) -> None:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setblocking(False)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector, ours, theirs:
            selector.register(ours, selectors.EVENT_READ)
            selector.register(door, selectors.EVENT_READ)
            while self._running:
                for key, _ in selector.select():
                    if key.fileobj is door:
                        self._greet(listener, door, selector)
                    elif key.fileobj is not ours:
                        _forget(key.fileobj, selector)
        signal.set_wakeup_fd(-1)

    def _greet(
        self, listener: socket.socket, door: socket.socket, selector: selectors.BaseSelector
    ) -> None:
        """Lend the socket; the connection stays, so that a release notices the gate's end."""
        try:
            release, _ = door.accept()
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [listener.fileno()]))
            release.sendmsg([b"\n"], [rights])
        except OSError:  # it has gone already
            return
        release.setblocking(False)
        selector.register(release, selectors.EVENT_READ)

    def _stop(self, number: int, frame: object) -> None:
        self._running = False


def _forget(release: object, selector: selectors.BaseSelector) -> None:
    """A release has ended: it never sends anything else."""
    assert isinstance(release, socket.socket)
    selector.unregister(release)
    release.close()
