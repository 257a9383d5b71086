"""Our server and one of others, asked in turn on the same core: CPU time of a request."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from tests.benchmarks.serve.environments import NotHere, install, requirements
from tests.benchmarks.serve.load import body, complete
from tests.benchmarks.serve.models import Subject
from tests.benchmarks.serve.ours import OURS, ready
from tests.benchmarks.serve.peers import PEERS, Peer, free_port
from tests.benchmarks.serve.processes import Server, Told, wait_for
from tests.benchmarks.serve.summary import summary

CLIENTS = (1, 8)


class Place(NamedTuple):
    """Where and how long: a folder, the servers' core, the load's core, rounds and seconds."""

    folder: Path
    core: int
    load_core: int
    rounds: int
    seconds: float


class Side:
    """One server under load.

    Raises:
        RuntimeError: when it ends, or answers something else than the model.
    """

    def __init__(self, peer: Peer, environment: Path, subject: Subject, place: Place) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"{peer.name}-", dir=place.folder))
        self.port = free_port()
        command, variables = peer.command(environment, subject, self._folder, self.port)
        self.server = Server(command, place.core, self._folder, variables)
        try:
            self._begin(peer, subject)
        except BaseException:
            self.server.close()
            raise

    def _begin(self, peer: Peer, subject: Subject) -> None:
        server, port = self.server, self.port
        wait_for(lambda: server.ended or ready(port, peer.ready), f"{peer.name} is ready")
        if server.ended:
            raise RuntimeError(server.log.read_text()[-400:])
        request = peer.request(subject, port)
        self.request = self._folder / "request"
        self.request.write_bytes(request)
        check(peer, subject, ask(port, request))

    def block(self, load: Told, clients: int, seconds: float) -> dict[str, float]:
        """CPU seconds of an answer, answers a second and latencies."""
        start = self.server.cpu()
        found = load.ask(
            port=self.port, request=str(self.request), clients=clients, seconds=seconds
        )
        cpu = self.server.cpu() - start
        if found["failed"]:
            raise RuntimeError(f"{found['failed']} of {found['answers']} answers failed")
        p50, p99 = np.percentile(found["times"], [50, 99]) * 1e3
        return {
            "cpu_us": cpu / found["answers"] * 1e6,
            "answers_per_s": found["answers"] / seconds,
            "p50_ms": float(p50),
            "p99_ms": float(p99),
        }


def ask(port: int, request: bytes) -> bytes:
    """The bytes of one whole answer."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as link:
        link.sendall(request)
        while not complete(answer):
            data = link.recv(65536)
            if not data:
                raise RuntimeError("the server has closed the connection")
            answer += data
    return answer


def check(peer: Peer, subject: Subject, answer: bytes) -> None:
    """Whether an answer is what the model says.

    Raises:
        RuntimeError: when it is not.
    """
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1").lower()
    if head.split()[1] != "200":
        raise RuntimeError(f"{peer.name} answers {answer[:400].decode('latin-1')}")
    session = onnxruntime.InferenceSession(str(subject.path))
    (expected,) = session.run(None, {"x": subject.sample()})
    found = peer.answer(head, body(answer))
    if not (found.size == expected.size and np.allclose(found, expected.ravel(), 1e-4, 1e-5)):
        raise RuntimeError(f"{peer.name} answers {found[:4]} instead of {expected.ravel()[:4]}")


def duel(peer: Peer, environment: Path, subject: Subject, place: Place) -> dict[str, Any]:
    """Blocks of both in turn; how many times our CPU time, and with which interval.

    ``plain_ratio`` is how many times that of an inference in a plain loop: what a server without
    batching could reach if it cost nothing.
    """
    found: list[dict[str, float]] = []
    with ExitStack() as stack:
        sides = []
        for name, one, its in (("ours", OURS, Path()), ("theirs", peer, environment)):
            side = Side(one, its, subject, place)
            stack.callback(side.server.close)
            sides.append((name, side))
        load = Told("load", place.load_core)
        stack.callback(load.close)
        raw = Told("raw", subject.path, json.dumps(subject.row), place.core)
        stack.callback(raw.close)
        raw.hear()
        batching = OURS.rows(sides[0][1].port) > 1
        for number in range(place.rounds + 1):
            figures = _round(sides if number % 2 else sides[::-1], load, place.seconds)
            plain = raw.ask(runs=100, rows=1)["cpu"] * 1e6
            for clients in CLIENTS:
                figures[f"plain_ratio_{clients}"] = figures[f"theirs_cpu_us_{clients}"] / plain
            if number:  # the first warms up
                found.append(figures)
    told = summary(found)
    goal = peer.goals.get(subject.name)
    judged = {f"goal_{n}": _judge(told, n, goal, batching) for n in CLIENTS} if goal else {}
    return {"model": subject.name, "rounds": place.rounds, "goal": goal, **judged, **told}


def _judge(told: dict[str, Any], clients: int, goal: float, batching: bool) -> str:
    """Whether the whole interval of a ratio reaches the goal, and if not whether any could."""
    if told[f"ratio_{clients}"]["low"] >= goal:
        return "met"
    most = told[f"plain_ratio_{clients}"]["median"]
    return "missed" if batching or most >= goal else "out of reach"


def _round(sides: Sequence[tuple[str, Side]], load: Told, seconds: float) -> dict[str, float]:
    figures: dict[str, float] = {}
    for clients in CLIENTS:
        for name, side in sides:
            for key, value in side.block(load, clients, seconds).items():
                figures[f"{name}_{key}_{clients}"] = value
        ratio = figures[f"theirs_cpu_us_{clients}"] / figures[f"ours_cpu_us_{clients}"]
        figures[f"ratio_{clients}"] = ratio
    return figures


def compare(
    names: Sequence[str], subjects: Sequence[Subject], place: Place, cache: Path
) -> dict[str, Any]:
    """The duels with all that can be had; a sentence for one that cannot, which is not beaten."""
    told: dict[str, Any] = {}
    for name in names:
        package = PEERS[name].package
        told[name] = {"version": requirements(package)[package]}
        try:
            environment = install(package, cache)
            duels = [duel(PEERS[name], environment, subject, place) for subject in subjects]
            told[name]["duels"] = duels
        except (NotHere, TimeoutError, RuntimeError, OSError, ValueError) as error:
            told[name]["missing"] = str(error)[-400:]
    print(table(told), file=sys.stderr)
    return told


def table(told: dict[str, Any]) -> str:
    """The ratios as text."""
    lines = ["CPU time of a request, times ours [95 % interval], and times a plain inference"]
    for name, one in told.items():
        title = f"{name} {one['version']}"
        if "missing" in one:
            lines.append(f"{title:18} not measured, not beaten: {one['missing']}")
        for found in one.get("duels", ()):
            ratios = [found[f"ratio_{clients}"] for clients in CLIENTS]
            cells = [f"{r['median']:6.2f} [{r['low']:.2f}, {r['high']:.2f}]" for r in ratios]
            plain = [f"{found[f'plain_ratio_{clients}']['median']:.2f}" for clients in CLIENTS]
            cells = [f"{cell:21} {one:>5}" for cell, one in zip(cells, plain, strict=True)]
            line = f"{title:18} {found['model']:11} 1: {cells[0]}   8: {cells[1]}"
            if found["goal"]:
                verdicts = ", ".join(found[f"goal_{clients}"] for clients in CLIENTS)
                line += f"   goal {found['goal']:g}: {verdicts}"
            lines.append(line)
    return "\n".join(lines)
