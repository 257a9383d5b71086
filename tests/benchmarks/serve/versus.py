"""CPU of a request to this server over that to the server of another checkout, in one run.

Both serve the same model on the same core, and blocks of load take turns, first one then the other
begins. Prints one JSON document: the efficiency of both (CPU of a plain inference over that of a
request), and the ratio of the two within rounds with its 95 % interval; above 1 this one is better.

    python -m tests.benchmarks.serve.versus ../before --rounds 30
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.serve import models, peers
from tests.benchmarks.serve.models import Subject
from tests.benchmarks.serve.ours import OURS, ready
from tests.benchmarks.serve.processes import ROOT, Server, Told, wait_for
from tests.benchmarks.serve.rivals import CLIENTS
from tests.benchmarks.serve.summary import summary

LEAST = 0.98


class Side:
    """The server of one checkout.

    Attributes:
        name: ``here`` or ``there``.
        port: Where it answers.
    """

    def __init__(self, name: str, checkout: Path, subject: Subject, core: int, log: Path) -> None:
        self.name = name
        self.port = peers.free_port()
        log.mkdir()
        command, variables = OURS.command(Path(), subject, log, self.port)
        self._server = Server(command, core, log, {**variables, "PYTHONPATH": str(checkout)})

    def wait(self) -> None:
        """Wait until it serves."""
        wait_for(lambda: self._server.ended or ready(self.port, OURS.ready), "the server is ready")
        if self._server.ended:
            raise RuntimeError(self._server.log.read_text()[-400:])

    def request_s(self, load: Told, request: Path, clients: int, seconds: float) -> float:
        """CPU seconds of one request, in a block of load."""
        start = self._server.cpu()
        order = {"port": self.port, "request": str(request), "clients": clients}
        answer = load.ask(**order, seconds=seconds)
        if answer["failed"]:
            raise RuntimeError(f"{answer['failed']} answers of {self.name} failed")
        return float((self._server.cpu() - start) / answer["answers"])

    def close(self) -> None:
        """End it."""
        self._server.close()


def compare(subject: Subject, other: Path, folder: Path, rounds: int, seconds: float) -> Any:
    """Blocks of both in turn; medians over the rounds with their intervals."""
    cores = sorted(os.sched_getaffinity(0))
    core, load_core = cores[-1], cores[0]
    with ExitStack() as stack:
        sides = []
        for name, checkout in (("here", ROOT), ("there", other)):
            side = Side(name, checkout, subject, core, folder / f"{subject.name}-{name}")
            stack.callback(side.close)
            sides.append(side)
        raw = Told("raw", subject.path, json.dumps(subject.row), core)
        stack.callback(raw.close)
        load = Told("load", load_core)
        stack.callback(load.close)
        raw.hear()
        for side in sides:
            side.wait()
        request = folder / f"{subject.name}-request"
        request.write_bytes(OURS.request(subject, sides[0].port))
        found = []
        for number in range(rounds + 1):
            order = sides if number % 2 else sides[::-1]
            one = _round(order, raw, load, request, seconds)
            if number:  # the first warms up
                found.append(one)
    told = {"model": subject.name, "rounds": rounds, **summary(found)}
    goals = {
        f"ratio_{clients} >= {LEAST}": "met" if told[f"ratio_{clients}"]["low"] >= LEAST else "open"
        for clients in CLIENTS
    }
    return {**told, "goals": goals}


def _round(
    sides: list[Side], raw: Told, load: Told, request: Path, seconds: float
) -> dict[str, float]:
    one: dict[str, float] = {}
    for clients in CLIENTS:
        runs = max(20, int(seconds / 2 / raw.ask(runs=20, rows=1)["cpu"]))
        before = raw.ask(runs=runs, rows=1)["cpu"]
        times = {side.name: side.request_s(load, request, clients, seconds) for side in sides}
        plain = (before + raw.ask(runs=runs, rows=1)["cpu"]) / 2
        for name, time in times.items():
            one[f"efficiency_{clients}_{name}"] = plain / time
        one[f"ratio_{clients}"] = times["there"] / times["here"]
    return one


def main() -> int:
    """Measure the models that were named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("other", type=Path, help="the other checkout (git worktree add)")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one block")
    parser.add_argument("--models", default="perceptron,network")
    given = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        print("This bench needs two cores.", file=sys.stderr)
        return 1
    document: dict[str, Any] = {"name": "serve", "peer": str(given.other.resolve())}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        document["models"] = [
            compare(
                getattr(models, model)(folder),
                given.other.resolve(),
                folder,
                given.rounds,
                given.seconds,
            )
            for model in given.models.split(",")
        ]
    document["load"] = os.getloadavg()[0]
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
