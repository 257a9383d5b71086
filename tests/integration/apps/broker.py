"""A real broker that can be killed, and a subscriber with a session that outlives it."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.conftest import _need
from tests.rigs.boards import until
from tests.rigs.containers import free_port

# Mosquitto's defaults drop messages of QoS 1 beyond a thousand, and all of them when it is killed.
_CONFIGURATION = """
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
max_queued_messages 0
user root
"""


class BrokerProcess:
    """Mosquitto with its state in a folder.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, folder: Path, more: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self._file = folder / "mosquitto.conf"
        self._file.write_text(_CONFIGURATION.format(port=self.port, folder=folder) + more)
        self._log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [_need("mosquitto"), "-c", str(self._file)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until(self._listens, "the broker listens")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """Kill it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(20)


class Subscriber:
    """A client with QoS 1 and a persistent session.

    Attributes:
        topics: By id of each event that came.
        copies: Messages in all.
    """

    def __init__(self, port: int, topic: str) -> None:
        self.topics: dict[str, str] = {}
        self.copies = 0
        self._topic = topic
        self._ready = threading.Event()
        version = CallbackAPIVersion.VERSION2
        self._client = paho.Client(version, client_id="receiver", clean_session=False)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(0.1, 0.5)  # type: ignore[arg-type]
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(30)

    def _on_connect(self, client: Any, *rest: Any) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        self.copies += 1
        self.topics[json.loads(message.payload)["id"]] = message.topic

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()
