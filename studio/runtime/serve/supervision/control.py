"""JSON lines between a supervisor and its worker, over a pair of sockets."""

from __future__ import annotations

import json
import socket
from typing import Dict, List, NamedTuple, Optional

from ...shared.documents import read_record


class Message(NamedTuple):
    """An order to a worker (``command``), or what a worker reports (``event``).

    Attributes:
        grace_s, limit_s: Of ``drain``.
        bundle, generation: Of ``reload``; the generation of ``reloaded``, too.
        restarts: Of ``ping``.
        run_s: Of ``alive``.
        heartbeat: Of ``ready``: whether the worker answers pings.
        error: Of ``failed``.
        digest, name, version, grpc: What is served, and where besides.
    """

    command: str = ""
    event: str = ""
    grace_s: float = 0.0
    limit_s: float = 0.0
    bundle: str = ""
    generation: int = 0
    restarts: Optional[Dict[str, int]] = None
    run_s: float = 0.0
    heartbeat: bool = False
    error: str = ""
    digest: str = ""
    name: str = ""
    version: object = ""
    grpc: Optional[str] = None


class ControlLink:
    """One end of the pair. Messages are small: a send never waits for the other side."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._buffer = b""

    def fileno(self) -> int:
        """Return the descriptor, for a selector or an event loop."""
        return self._end.fileno()

    def send(self, **message: object) -> None:
        """Send a message; without effect when the other side has ended."""
        try:
            self._end.sendall(json.dumps(message).encode("utf-8") + b"\n")
        except OSError:  # its end is noticed where it is read
            return

    def receive(self) -> Optional[List[Message]]:
        """Return the messages that have come; None when the other side has ended."""
        try:
            data = self._end.recv(65536)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        return [read_record(Message, json.loads(line.decode("utf-8"))) for line in lines if line]

    def close(self) -> None:
        """Close this end."""
        self._end.close()
