"""A broker that acknowledges what boards publish by MQTT, and keeps it for the test."""

from __future__ import annotations

import json
import socket
import struct
from pathlib import Path
from typing import Any

from tests.unit.runtime.fleet.scripted import ScriptedServer


class RetainingBroker(ScriptedServer):
    """Takes every message.

    Attributes:
        messages: Contents by their order.
        topics: Of the messages.
    """

    def __init__(self) -> None:
        super().__init__(self._serve)
        self.messages: list[dict[str, Any]] = []
        self.topics: list[str] = []

    def _serve(self, link: socket.socket) -> None:
        link.settimeout(60)
        reader = link.makefile("rb")
        with reader:
            while kind := reader.read(1):
                size = shift = 0
                while True:
                    one = reader.read(1)[0]
                    size |= (one & 0x7F) << shift
                    shift += 7
                    if not one & 0x80:
                        break
                body = reader.read(size)
                if kind == b"\x10":
                    link.sendall(b"\x20\x02\x00\x00")
                elif kind == b"\x33":
                    (length,) = struct.unpack("!H", body[:2])
                    self.topics.append(body[2 : 2 + length].decode())
                    self.messages.append(json.loads(body[4 + length :]))
                    link.sendall(b"\x40\x02" + body[2 + length : 4 + length])

    @property
    def last(self) -> dict[str, Any]:
        """The newest message."""
        return self.messages[-1]

    def settings(self, path: Path, **changes: Any) -> Path:
        """Write the file of a board that publishes here every second."""
        path.parent.mkdir(exist_ok=True)
        url = f"mqtt://127.0.0.1:{self.port}"
        path.write_text(json.dumps({"url": url, "board": "cam-1", "every_s": 1, **changes}))
        path.chmod(0o600)
        return path
