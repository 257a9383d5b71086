"""A real NATS server with JetStream on the loopback, which can be killed and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

from tests.conftest import _need
from tests.rigs.boards import until
from tests.rigs.containers import free_port

_CONFIGURATION = """
listen: "127.0.0.1:{port}"
server_name: "fleet"
jetstream {{ store_dir: "{folder}/store" }}
"""


class NatsServer:
    """Debian's ``nats-server`` with its files in a folder.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, folder: Path, more: str = "") -> None:
        """Write its configuration.

        Args:
            more: Lines of the configuration, such as users or TLS.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._file = folder / "nats.conf"
        self._file.write_text(_CONFIGURATION.format(port=self.port, folder=folder) + more)
        self._log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [_need("nats-server"), "-c", str(self._file)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until(self._listens, "the NATS server listens", 30.0)

    def _listens(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """Kill it, as a power cut of its machine would."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        """End it, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    @property
    def log(self) -> str:
        """What it wrote."""
        return self._log.read_text()
