"""What stands between a studio and its board, and fails at a byte of one's choice."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from types import TracebackType

UP, DOWN = "up", "down"
KINDS = ("cut", "stall", "reset")
_CHUNK = 1 << 14


class Proxy:
    """Carries one TCP connection at a time, until the byte at which it fails.

    Attributes:
        port: Of this computer's loopback.
        carried: Bytes so far, in each direction.
        struck: Whether it has failed.
    """

    def __init__(self, host: str, port: int, kind: str = "", way: str = UP, at: int = -1) -> None:
        self.carried = {UP: 0, DOWN: 0}
        self.struck = False
        self._board = (host, port)
        self._kind, self._way, self._at = kind, way, at
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while not self._over.is_set():
                studio, _ = self._listener.accept()
                with studio, socket.create_connection(self._board) as board:
                    self._carry(studio, board)

    def _carry(self, studio: socket.socket, board: socket.socket) -> None:
        ends = {studio: (board, UP), board: (studio, DOWN)}
        with contextlib.suppress(OSError):
            while not self._over.is_set():
                for source in select.select(list(ends), [], [], 0.1)[0]:
                    target, way = ends[source]
                    content = source.recv(_CHUNK)
                    if not content:
                        return
                    left = self._at - self.carried[way] if way == self._way else len(content)
                    fails = self._at >= 0 and not self.struck and left < len(content)
                    content = content[:left] if fails else content
                    target.sendall(content)
                    self.carried[way] += len(content)
                    if fails:
                        self._strike(studio, board)
                        return

    def _strike(self, studio: socket.socket, board: socket.socket) -> None:
        self.struck = True
        if self._kind == "reset":
            for end in (studio, board):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif self._kind == "stall":
            self._over.wait(120)  # nothing moves, and nobody is told
