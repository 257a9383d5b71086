"""CPU, latency and memory of the server against onnxruntime in a plain loop, on the same core.

Prints one JSON document. Efficiency is the CPU time of one plain inference over the CPU time of one
answered request; blocks of both are measured in turn, and the load runs on another core.

The p99 at the higher concurrency is set beside two peers with the same batching. ``loop``: as many
clients in one process, where asking costs nothing. As whoever waits for his answer waits for those
of the others, that ratio is near the CPU of a request over that of one row in a batch: for a model
of some microseconds it measures the system's sockets first. ``bare``: a server that only moves
bytes between the same clients and the model. What even that does not reach is "out of reach" in
``goals``, and its figures (``bare_loop_p99_ratio``, ``bare_efficiency_8``) are the arithmetic.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.serve import models, peers
from tests.benchmarks.serve.environments import default_cache
from tests.benchmarks.serve.goals import MEMORY_RATIO, verdicts
from tests.benchmarks.serve.ours import OURS, ready
from tests.benchmarks.serve.processes import ROOT, Server, Told, resident_mb, wait_for
from tests.benchmarks.serve.rivals import CLIENTS, Place, compare
from tests.benchmarks.serve.summary import summary


def main() -> int:
    """Measure both models."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one block")
    parser.add_argument("--models", default="perceptron,network")
    parser.add_argument("--peers", default=",".join(peers.PEERS), help="'' for none of them")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="of their environments")
    parser.add_argument("--no-memory", action="store_true")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("This bench needs two cores.", file=sys.stderr)
        return 1
    document: dict[str, Any] = {"name": "serve", "peer": "onnxruntime in a plain loop"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chosen = [getattr(models, model)(folder) for model in given.models.split(",")]
        document["models"] = [
            Bench(subject, folder, cores[-1], cores[0]).run(given.rounds, given.seconds)
            for subject in chosen
        ]
        if not given.no_memory:
            document["memory"] = [memory(subject, folder, cores[-1]) for subject in chosen]
        if given.peers:
            rounds = max(5, given.rounds // 2)
            place = Place(folder, cores[-1], cores[0], rounds, given.seconds)
            document["peers"] = compare(given.peers.split(","), chosen, place, given.cache)
    document["load"] = os.getloadavg()[0]
    print(json.dumps(document, indent=1))
    return 0


class Bench:
    """One server of one model, and the plain loop beside it."""

    def __init__(self, subject: models.Subject, folder: Path, core: int, load_core: int) -> None:
        self._subject = subject
        self._folder = folder
        self._core = core
        self._load_core = load_core

    def run(self, rounds: int, seconds: float) -> dict[str, Any]:
        """Blocks in turn; medians over the rounds with their intervals."""
        subject = self._subject
        with ExitStack() as stack:
            port = peers.free_port()
            command, variables = OURS.command(Path(), subject, self._folder, port)
            server = Server(command, self._core, self._folder, variables)
            stack.callback(server.close)
            raw = Told("raw", subject.path, json.dumps(subject.row), self._core)
            stack.callback(raw.close)
            load = Told("load", self._load_core)
            stack.callback(load.close)
            raw.hear()
            wait_for(lambda: server.ended or ready(port, OURS.ready), "the server is ready")
            if server.ended:
                raise RuntimeError(server.log.read_text()[-400:])
            request = self._folder / "request"
            request.write_bytes(OURS.request(subject, port))
            rows = OURS.rows(port)
            found = []
            for number in range(rounds + 1):
                one = self._round(server, raw, load, port, request, rows, seconds)
                if number:  # the first warms up
                    found.append(one)
        told = {"model": subject.name, "rounds": rounds, "rows": rows, **summary(found)}
        return {**told, "goals": verdicts(told)}

    def _round(
        self,
        server: Server,
        raw: Told,
        load: Told,
        port: int,
        request: Path,
        rows: int,
        seconds: float,
    ) -> dict[str, float]:
        one: dict[str, float] = {}
        for clients in CLIENTS:
            runs = max(20, int(seconds / 2 / raw.ask(runs=20, rows=1)["cpu"]))
            before = raw.ask(runs=runs, rows=1)["cpu"]
            start = server.cpu()
            answer = load.ask(port=port, request=str(request), clients=clients, seconds=seconds)
            cpu = (server.cpu() - start) / answer["answers"]
            after = raw.ask(runs=runs, rows=1)["cpu"]
            if answer["failed"]:
                raise RuntimeError(f"{answer['failed']} of {answer['answers']} answers failed")
            plain = (before + after) / 2
            one[f"efficiency_{clients}"] = plain / cpu
            one[f"cpu_us_{clients}"] = cpu * 1e6
            one[f"answers_per_s_{clients}"] = answer["answers"] / seconds
            one[f"p50_ms_{clients}"] = float(np.percentile(answer["times"], 50)) * 1e3
            one[f"p99_ms_{clients}"] = float(np.percentile(answer["times"], 99)) * 1e3
        one["plain_us"] = plain * 1e6
        times = raw.ask(clients=CLIENTS[-1], rows=rows, seconds=seconds)["times"]
        one["loop_p99_ms"] = float(np.percentile(times, 99)) * 1e3
        one["p99_ratio"] = one[f"p99_ms_{CLIENTS[-1]}"] / one["loop_p99_ms"]
        order = {"clients": CLIENTS[-1], "rows": rows}
        bare = raw.ask(**order, size=request.stat().st_size)["port"]
        times = load.ask(port=bare, request=str(request), clients=CLIENTS[-1], seconds=seconds)[
            "times"
        ]
        one[f"bare_efficiency_{CLIENTS[-1]}"] = plain / (raw.hear()["cpu"] / len(times))
        one["bare_p50_ms"] = float(np.percentile(times, 50)) * 1e3
        one["bare_p99_ms"] = float(np.percentile(times, 99)) * 1e3
        one["bare_p99_ratio"] = one[f"p99_ms_{CLIENTS[-1]}"] / one["bare_p99_ms"]
        one["bare_loop_p99_ratio"] = one["bare_p99_ms"] / one["loop_p99_ms"]
        return one


def memory(subject: models.Subject, folder: Path, core: int) -> dict[str, Any]:
    """Megabytes at rest: supervisor and worker, and a bare process that has loaded the model."""
    served, bare = [], []
    for _ in range(3):
        root = peers.root_of(subject, Path(tempfile.mkdtemp(dir=folder)))
        port = peers.free_port()
        command = [sys.executable, "-m", "studio.runtime", "serve", f"--root={root}"]
        server = Server([*command, f"--port={port}"], core, folder, {"PYTHONPATH": str(ROOT)})
        try:
            wait_for(lambda port=port: ready(port, OURS.ready), "the server is ready")
            served.append(server.memory())
        finally:
            server.close()
        raw = Told("raw", subject.path, json.dumps(subject.row), core)
        bare.append(resident_mb(raw.hear()["pid"]))
        raw.close()
    ours, theirs = statistics.median(served), statistics.median(bare)
    return {
        "model": subject.name,
        "ours_mb": round(ours, 1),
        "bare_mb": round(theirs, 1),
        "ratio": round(ours / theirs, 3),
        "goal": "met" if ours / theirs <= MEMORY_RATIO else "missed",
    }


if __name__ == "__main__":
    sys.exit(main())
