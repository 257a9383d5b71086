"""The peer: onnxruntime in a plain loop, in a process of its own that is told how often to run.

Reads JSON lines ``{"runs", "rows"}`` and answers each with the CPU time of one run and the wall
time of every run, in seconds. Told ``{"clients", "rows", "seconds"}`` it plays a closed loop: so
many clients in one process, each waiting for its answer, ``rows`` of them in one run at most.
Told ``{"clients", "rows", "size"}`` it is a bare server of that many (see ``bare``): it answers
with its port, and once more, with its CPU time, when they have left.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy
import onnxruntime


def main() -> None:
    """Load the model of the command line, and obey."""
    path, shape, core = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    os.sched_setaffinity(0, {core})
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    # numpy.random would make a process larger that is to hold no more than the model.
    values = numpy.arange(1, 1 + numpy.prod(shape)) * 0.6180339887498949 % 1.0
    sample = values.astype(numpy.float32).reshape((1, *shape))
    name = session.get_inputs()[0].name
    session.run(None, {name: sample})
    print(json.dumps({"pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "size" in order:
            from tests.benchmarks.serve.bare import BareServer  # else this process is to be small

            run = lambda rows: session.run(None, {name: rows})[0]  # noqa: E731
            server = BareServer(run, sample.shape, order["size"])
            print(json.dumps({"port": server.port}), flush=True)
            began = time.process_time()
            server.serve(order["clients"], order["rows"])
            print(json.dumps({"cpu": time.process_time() - began}), flush=True)
            continue
        answer = closed_loop(session, name, sample, **order) if "clients" in order else (
            loop(session, name, sample, **order)
        )  # fmt: skip
        print(json.dumps(answer), flush=True)


def loop(session: Any, name: str, sample: numpy.ndarray, runs: int, rows: int) -> dict[str, Any]:
    """Run one after the other."""
    feeds = {name: numpy.repeat(sample, rows, axis=0)}
    times = []
    began = time.process_time()
    for _ in range(runs):
        start = time.perf_counter()
        session.run(None, feeds)
        times.append(time.perf_counter() - start)
    return {"cpu": (time.process_time() - began) / runs, "times": times}


def closed_loop(
    session: Any, name: str, sample: numpy.ndarray, clients: int, rows: int, seconds: float
) -> dict[str, Any]:
    """What so many clients would wait, if asking cost nothing."""
    now = time.perf_counter()
    end = now + seconds
    asked = deque([now] * clients)
    times = []
    while now < end:
        batch = [asked.popleft() for _ in range(min(rows, len(asked)))]
        arrays = [sample] * len(batch)
        result = session.run(None, {name: numpy.concatenate(arrays) if len(batch) > 1 else sample})
        assert len(result[0]) == len(batch)
        now = time.perf_counter()
        times += [now - moment for moment in batch]
        asked.extend([now] * len(batch))
    return {"times": times}


if __name__ == "__main__":
    main()
