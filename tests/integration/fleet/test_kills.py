"""A NATS server that is killed again and again, while boards publish: no count lost or doubled."""

from __future__ import annotations

import random
import sys
import threading
import time
from pathlib import Path

import pytest

from studio.api import BrokerLogin, Silent, StateFeed
from studio.monitoring.boards.fleet_state import FleetState
from studio.runtime.fleet.link import BrokerLink, open_link
from studio.runtime.fleet.settings import settings_of
from tests.rigs.boards import until
from tests.rigs.nats_server import NatsServer
from tests.unit.monitoring.boards.boards import SimulatedBoard

KILLS, BOARDS = 6, 20


class _Publishing:
    """Boards that publish through the real client, one message after the other."""

    def __init__(self, port: int) -> None:
        self._chance = random.Random(7)
        self.boards = [SimulatedBoard(f"cam-{number}", self._chance) for number in range(BOARDS)]
        self._port = port
        self._links: dict[str, BrokerLink] = {}
        self._ends = threading.Event()
        self.failures = 0
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End with one last message of each board, which arrives."""
        self._ends.set()
        self._thread.join(60)
        for board in self.boards:
            until(lambda board=board: self._publish(board), "a last message", 30.0)  # type: ignore[misc]
        for link in self._links.values():
            link.close()

    def _work(self) -> None:
        while not self._ends.is_set():
            board = self._chance.choice(self.boards)
            board.work(self._chance.randrange(100), 0)
            if self._chance.random() < 0.02:
                board.reboot()
            self._publish(board)
            time.sleep(0.002)

    def _publish(self, board: SimulatedBoard) -> bool:
        import json

        found = board.beat()
        try:
            if board.name not in self._links:
                url = f"nats://127.0.0.1:{self._port}"
                settings = settings_of({"url": url, "board": board.name})
                self._links[board.name] = open_link(settings, 2.0)
            identity = f"{found['boot']}-{found['seq']}"
            self._links[board.name].publish(json.dumps(found).encode(), identity)
        except OSError:
            self.failures += 1
            link = self._links.pop(board.name, None)
            if link is not None:
                link.close()
            return False
        return True


def _open(port: int) -> StateFeed:
    from studio_nats.source import NatsSource

    address = f"nats://127.0.0.1:{port}"
    feed: StateFeed = NatsSource().open(
        address, "edgewright/state", BrokerLogin(), Silent(), create=True
    )
    return feed


def test_counts_are_exact_after_every_kill(
    tmp_path: Path, nats_packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, str(nats_packages)])
    server = NatsServer(tmp_path / "nats")
    server.start()
    feed, fleet = _open(server.port), FleetState(tmp_path / "fleet.sqlite")
    boards = _Publishing(server.port)
    boards.start()
    chance = random.Random(3)
    try:
        for _ in range(KILLS):
            end = time.monotonic() + chance.uniform(0.2, 0.8)
            while time.monotonic() < end:
                fleet.take(feed.read(0.1))
            server.kill()
            fleet.take(feed.read(0.1))
            server.start()
        boards.stop()

        def exact() -> bool:
            fleet.take(feed.read(0.2))
            return all(_requests(fleet, one.name) == one.requests for one in boards.boards)

        until(exact, "the counts of all boards", 30.0)
        assert fleet.refused == {}
        assert feed.interruptions > 0
        assert boards.failures > 0
        fleet.close()
        again = FleetState(tmp_path / "fleet.sqlite")
        assert [_requests(again, one.name) for one in boards.boards] == [
            one.requests for one in boards.boards
        ]
        again.close()
    finally:
        feed.close()
        server.stop()


def _requests(fleet: FleetState, board: str) -> int:
    try:
        return fleet.record(board).totals[0]
    except KeyError:
        return -1
