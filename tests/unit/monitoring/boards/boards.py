"""Boards that send heartbeats as real ones do, and the truth about their counts."""

from __future__ import annotations

import json
import random
from typing import Any

from studio.api import StateMessage

RELEASE = "ab" * 32


def message(board: str = "cam-1", **changes: Any) -> dict[str, Any]:
    """Return a heartbeat as plain data."""
    found: dict[str, Any] = {
        "form": 1,
        "board": board,
        "series": "0" * 16,
        "start": 1,
        "boot": "1" * 16,
        "seq": 1,
        "at": 1_800_000_000.0,
        "every_s": 60.0,
        "uptime_s": 5.0,
        "labels": {"site": "north"},
        "ready": True,
        "model": "digits",
        "version": "1",
        "release": RELEASE,
        "counter": 1,
        "facts": {"arch": "aarch64", "memory_mb": 100.0, "celsius": None},
        "drift": None,
        "alerts": [],
        "runs": [run("2" * 16, 1, 10, 1, [[5, 8]])],
        "dropped": 0,
    }
    return {**found, **changes}


def run(
    name: str, seq: int, requests: int, errors: int = 0, latency: Any = (), release: str = RELEASE
) -> dict[str, Any]:
    """Return the counts of a run."""
    return {
        "run": name,
        "seq": seq,
        "model": "digits",
        "version": "1",
        "release": release,
        "requests": requests,
        "errors": errors,
        "rejected": 0,
        "latency": [list(one) for one in latency],
    }


def sent(found: dict[str, Any], age_s: float = 0.0, board: str = "") -> StateMessage:
    """Return a message as a broker hands it over."""
    return StateMessage(board or found["board"], json.dumps(found).encode(), age_s)


class SimulatedBoard:
    """A board that answers requests, sends heartbeats, loads releases and starts again.

    Attributes:
        requests: Of all its runs, the truth.
        messages: All that it has sent.
    """

    def __init__(self, name: str, chance: random.Random) -> None:
        self.name = name
        self.requests = self.errors = 0
        self.messages: list[dict[str, Any]] = []
        self._chance = chance
        self._runs: list[dict[str, Any]] = []
        self._start = self._seq = self._looks = 0
        self._boot = ""
        self.reboot()

    def _hex(self) -> str:
        return f"{self._chance.getrandbits(64):016x}"

    def reboot(self) -> None:
        """Start again; the counts of earlier runs are on the disk."""
        self._look()
        self._start, self._seq, self._looks, self._boot = self._start + 1, 0, 0, self._hex()
        self._begin()

    def load(self) -> None:
        """Load a release; the one before has its last look."""
        self._look()
        self._begin()

    def _begin(self) -> None:
        self._runs.insert(0, run(self._hex(), 1, 0, release=f"{self._chance.randrange(4):064x}"))

    def _look(self) -> None:
        self._looks += 1
        if self._runs:
            self._runs[0]["seq"] = self._looks

    def work(self, requests: int, errors: int) -> None:
        """Answer requests, some of them with errors."""
        newest = self._runs[0]
        newest["requests"] += requests
        newest["errors"] += errors
        latency = dict(newest["latency"])
        latency[40] = latency.get(40, 0) + requests - errors
        newest["latency"] = sorted([place, count] for place, count in latency.items() if count)
        self.requests += requests
        self.errors += errors

    def beat(self) -> dict[str, Any]:
        """Send a heartbeat."""
        self._seq += 1
        self._look()
        found = message(
            self.name,
            start=self._start,
            boot=self._boot,
            seq=self._seq,
            release=self._runs[0]["release"],
            runs=self._runs[:32],
        )
        copied: dict[str, Any] = json.loads(json.dumps(found))
        self.messages.append(copied)
        return copied
