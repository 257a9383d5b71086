"""CPU of a request over gRPC against the same request over REST with binary tensors.

One server process answers blocks of both in turn, from clients in closed loops on another core;
what is compared is the server's CPU time for each answer. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from tritonclient.grpc import service_pb2

from tests.benchmarks.serve import models
from tests.benchmarks.serve.ours import OURS, ready
from tests.benchmarks.serve.peers import free_port
from tests.benchmarks.serve.processes import Server, Told, wait_for

CLIENTS = (1, 8)
INFER = "/inference.GRPCInferenceService/ModelInfer"


def main() -> int:
    """Measure both models."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.5, help="of one block")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("This bench needs two cores.", file=sys.stderr)
        return 1
    os.sched_setaffinity(0, {cores[0]})
    document: dict[str, Any] = {"name": "rpc", "peer": "REST with binary tensors, same server"}
    with tempfile.TemporaryDirectory() as name:
        chosen = [make(Path(name)) for make in (models.perceptron, models.network)]
        document["models"] = [
            measure(subject, Path(name), cores, given.rounds, given.seconds) for subject in chosen
        ]
    document["load"] = os.getloadavg()[0]
    print(json.dumps(document, indent=1))
    return 0


def measure(
    subject: models.Subject, folder: Path, cores: list[int], rounds: int, seconds: float
) -> dict[str, Any]:
    """Medians over the rounds, in microseconds of the server's CPU for each answer."""
    port, rpc_port = free_port(), free_port()
    command, variables = OURS.command(Path(sys.prefix), subject, folder, port)
    server = Server([*command, f"--grpc-port={rpc_port}"], cores[-1], folder, variables)
    load = Told("load", cores[0])
    try:
        wait_for(lambda: server.ended or ready(port, "/v2/health/ready"), "the server is ready")
        file = folder / "request"
        file.write_bytes(OURS.request(subject, port))
        message = message_of(subject)

        def rest(clients: int) -> int:
            order = {"port": port, "request": str(file), "clients": clients, "seconds": seconds}
            return int(load.ask(**order)["answers"])

        def rpc(clients: int) -> int:
            return closed_loop(f"127.0.0.1:{rpc_port}", message, clients, seconds)

        found: dict[str, Any] = {"model": subject.name}
        for clients in CLIENTS:
            found[f"clients_{clients}"] = compared(server, rest, rpc, clients, rounds)
        return found
    finally:
        load.close()
        server.close()


def compared(
    server: Server,
    rest: Callable[[int], int],
    rpc: Callable[[int], int],
    clients: int,
    rounds: int,
) -> dict[str, float]:
    """Blocks in turn; the first round warms up."""
    costs: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        one = []
        for ask in (rest, rpc):
            before = server.cpu()
            answers = ask(clients)
            one.append((server.cpu() - before) / answers * 1e6)
        costs.append((one[0], one[1]))
    costs = costs[1:]
    return {
        "rest_us": round(statistics.median(a for a, _ in costs), 1),
        "grpc_us": round(statistics.median(b for _, b in costs), 1),
        "ratio": round(statistics.median(b / a for a, b in costs), 3),
    }


def message_of(subject: models.Subject) -> bytes:
    """The request of ``subject`` over gRPC."""
    sample = subject.sample()
    request = service_pb2.ModelInferRequest(model_name=subject.name)
    request.inputs.add(name="x", datatype="FP32", shape=sample.shape)
    request.raw_input_contents.append(sample.tobytes())
    return bytes(request.SerializeToString())


def closed_loop(address: str, message: bytes, clients: int, seconds: float) -> int:
    """Answers that so many clients, each with a connection of its own, get in that time."""
    counts = [0] * clients
    end = time.perf_counter() + seconds

    def ask(number: int) -> None:
        # Channels of one process share their connections unless they differ.
        options = [("grpc.use_local_subchannel_pool", 1), ("client", number)]
        with grpc.insecure_channel(address, options) as channel:
            infer = channel.unary_unary(INFER)
            while time.perf_counter() < end:
                infer(message)
                counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


if __name__ == "__main__":
    sys.exit(main())
