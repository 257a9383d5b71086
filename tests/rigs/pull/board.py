"""A board with a pull client: a folder of releases in a temporary folder."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from studio.runtime.pull.client import PullClient
from studio.runtime.pull.settings import PullFolder, PullSettings
from studio.runtime.release.board import Board
from tests.unit.runtime.release.machine import Machine

NAME = "board-1"
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").lstrip("gw"))
PORT = 8600 + 100 * _WORKER
"""First port that a board tries: boards of other processes would take it from this one's server."""


class PullBoard:
    """The client in this process; the release machine and the server in their own.

    Attributes:
        said: Sentences of the client.
    """

    def __init__(self, root: Path, server: str, token: str = "", **settings: Any) -> None:
        self.machine = Machine(root)
        self.root = root
        self.folder = PullFolder(root)
        self.said: list[str] = []
        usual = {"server": server, "tenant": "DEFAULT", "id": NAME, "plain": True}
        usual.update(unsigned=True, soak_s=0.0, port=PORT)
        self.settings = PullSettings(**{**usual, **settings})
        self.folder.write(self.settings, token)

    def poll(self) -> float:
        """Poll once, as a client that was just started."""
        return PullClient(self.root, self.said.append, self.machine.runtime).poll()

    def client(self) -> PullClient:
        """A client that was just started."""
        return PullClient(self.root, self.said.append, self.machine.runtime)

    @property
    def current(self) -> str:
        """Digest of the release that is served."""
        return Board(self.machine.layout, "").state.current

    @property
    def state(self) -> dict[str, Any]:
        """The client's own state."""
        found: dict[str, Any] = json.loads(self.folder.state.read_bytes())
        return found

    def events(self) -> list[str]:
        """The outcomes in the chained log of releases, whose chain must be whole."""
        journal = Board(self.machine.layout, "").journal
        assert journal.broken_at() == 0
        return [str(one.get("state")) for one in journal.entries() if one["event"] == "release"]

    def stop(self) -> None:
        """End the server."""
        Machine(self.root).call("stop", seconds=2.0)  # a test may have ended its own lease

    def leftovers(self) -> list[str]:
        """Files of downloads that were not removed."""
        return [name for name in os.listdir(self.folder.folder) if name.endswith(".part")]
