"""Rollbacks of a board under load: how soon the earlier release answers; whether any call fails.

The board is a real SSH server in a network namespace; clients ask a recogniser of 16 MB over the
board's network without a pause, from a process of their own. The two releases change places by
rollbacks, each a command of its own over a connection that is open, as in the window.

    python -m tests.benchmarks.bench_rollback [--repeats 20] [--clients 4]

Prints one JSON document; ends with 1 when a request failed or a rollback took longer than a second.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from studio.api import Silent
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.options import DeployOptions
from studio.deployment.work import deploy
from studio.documents.dataclass_json import from_json
from studio.packages import Bundle, build_runtime
from studio.targets.connect import open_channel
from tests.benchmarks.recogniser import two_versions
from tests.rigs.boards import Board, network
from tests.rigs.bundles import QuietJob

LIMIT_S = 1.0
_PORT = 9000
_ROOT = "/root/.edgewright"
_PAUSE_S = 1.0
_SHAPE = (1, 3, 48, 32)
_COUNT = _SHAPE[1] * _SHAPE[2] * _SHAPE[3]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--ask", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        return ask(given.ask, given.clients)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        bundles = two_versions(folder)[:2]
        board = stack.enter_context(Board(stack.enter_context(network()), folder / "board"))
        found = measure(board, bundles, folder, given.repeats, given.clients)
    print(json.dumps(found, indent=1))
    return 0 if found["within_limit"] and not found["failures"] else 1


def measure(
    board: Board, bundles: tuple[Bundle, ...], folder: Path, repeats: int, clients: int
) -> dict[str, Any]:
    """Deploy both, then let them change places so many times."""
    spec = board.spec()
    for bundle in bundles:
        options = {"expose": "network", "port": _PORT, "allow_unauthenticated": True, "soak_s": 0.5}
        given = from_json(
            DeployOptions, {"bundle": str(bundle.folder), "target": asdict(spec), **options}
        )
        deploy(given, QuietJob(folder / f"deploy-{bundle.version}"))
    channel = open_channel(spec, Silent())
    agent = ReleaseClient(channel, _ROOT, "python3", build_runtime(folder), "ann@desk", "board")
    turns: list[dict[str, float]] = []
    asked: list[Any] = []
    try:
        with asking(board.address, clients, asked):
            for turn in range(repeats):
                time.sleep(_PAUSE_S)
                began = time.time()
                done = agent.call("rollback", {"to": str(1 + turn % 2)})
                turns.append(
                    {
                        "to": done["to"],
                        "began": began,
                        "board_s": done["seconds"],
                        "command_s": time.time() - began,
                    }
                )
            time.sleep(_PAUSE_S)
    finally:
        channel.close()
    return _told(turns, asked[0], clients)


def _told(turns: list[dict[str, float]], asked: dict[str, Any], clients: int) -> dict[str, Any]:
    """What the board said of each turn, and what the clients saw of it."""
    ends = [turn["began"] for turn in turns[1:]] + [float("inf")]
    rows = []
    for turn, end in zip(turns, ends, strict=True):
        seen = [
            run
            for run in asked["runs"]
            if run["version"] == str(turn["to"]) and turn["began"] <= run["first"] < end
        ]
        firsts = sorted(run["first"] - turn["began"] for run in seen)
        rows.append(
            {
                "to": turn["to"],
                "first_answer_s": firsts[0],
                "all_clients_s": firsts[-1],
                "board_s": turn["board_s"],
                "command_s": turn["command_s"],
            }
        )
        assert len(firsts) == clients, f"clients that saw version {turn['to']}: {len(firsts)}"
    figures = ("first_answer_s", "all_clients_s", "board_s", "command_s")
    return {
        "rollbacks": len(rows),
        "requests": asked["answers"],
        "failures": asked["failures"],
        **{
            name: {
                "median": round(statistics.median(row[name] for row in rows), 3),
                "max": round(max(row[name] for row in rows), 3),
            }
            for name in figures
        },
        "limit_s": LIMIT_S,
        "within_limit": max(row["all_clients_s"] for row in rows) <= LIMIT_S,
        "clients": clients,
        "load": os.getloadavg()[0],
    }


@contextmanager
def asking(address: str, clients: int, found: list[Any]) -> Iterator[None]:
    """Clients in a process of their own; adds what they have seen."""
    words = ["-m", "tests.benchmarks.bench_rollback", "--ask", address, "--clients", str(clients)]
    process = subprocess.Popen(
        [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "asking\n"
    try:
        yield
    finally:
        said, _ = process.communicate("", timeout=60)
        found.append(json.loads(said))


def ask(address: str, clients: int) -> int:
    """Ask until the input ends; print what was seen."""
    stop, seen = threading.Event(), [_Client(address) for _ in range(clients)]
    threads = [threading.Thread(target=one.run, args=(stop,)) for one in seen]
    for thread in threads:
        thread.start()
    print("asking", flush=True)
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    found = {
        "answers": sum(one.answers for one in seen),
        "failures": [text for one in seen for text in one.failures],
        "runs": [run for one in seen for run in one.runs],
    }
    print(json.dumps(found), flush=True)
    return 0


class _Client:
    """Asks over one connection, and notes when the version that answers changes.

    Attributes:
        runs: Answers of one version in a row: ``version``, the time of the ``first``.
        failures: What went wrong; a client goes on after it.
    """

    def __init__(self, address: str) -> None:
        self.runs: list[dict[str, Any]] = []
        self.failures: list[str] = []
        self.answers = 0
        self._address = address
        tensor = {"name": "x", "shape": _SHAPE, "datatype": "FP32", "data": [0.5] * _COUNT}
        wish = {"binary_data_output": True}  # 74,000 floats as text would be most of the work
        self._body = json.dumps({"inputs": [tensor], "parameters": wish})

    def run(self, stop: threading.Event) -> None:
        """Ask."""
        link = http.client.HTTPConnection(self._address, _PORT, timeout=30)
        while not stop.is_set():
            try:
                link.request("POST", "/v2/models/rec/infer", self._body)
                answer = link.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                link.close()
                continue
            if answer.status != 200:
                self.failures.append(f"{answer.status}: {content[:200]!r}")
                continue
            self.answers += 1
            version = answer.headers["Edgewright-Model-Version"]
            if not self.runs or self.runs[-1]["version"] != version:
                self.runs.append({"version": version, "first": time.time()})


if __name__ == "__main__":
    sys.exit(main())
