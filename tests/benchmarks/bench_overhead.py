"""What the bench adds to a latency, against a plain onnxruntime loop measured in turn with it.

Prints one JSON document: for each model the p50 of both, their ratio, and its interval.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy

from studio.runtime.bench.answers import FirstInference, Loaded
from studio.runtime.bench.arrays import save_arrays
from studio.runtime.bench.config import Candidate
from studio.runtime.bench.measures.timing import Block
from studio.runtime.bench.process import CancelWatch, CandidateProcess
from studio.runtime.bench.statistics.verdicts import compare

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "plugins" / "studio_onnxruntime" / "runner.py"
DIGITS = ROOT / "resources" / "samples" / "digits" / "digits.onnx"
TIMEOUT = 120.0

RAW_LOOP = """
import os, sys, time
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import numpy, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
feeds = dict(numpy.load(sys.argv[2]))
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter_ns()
        session.run(None, feeds)
        times.append(time.perf_counter_ns() - start)
    print(*times, flush=True)
"""


class Raw:
    """The peer: a loop around ``InferenceSession.run`` in a process of its own."""

    def __init__(self, model: Path, feeds: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", RAW_LOOP, str(model), str(feeds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def block(self, runs: int) -> list[int]:
        """Times of so many inferences."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{runs}\n")
        self._process.stdin.flush()
        return [int(text) for text in self._process.stdout.readline().split()]

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@contextmanager
def ours(model: Path, feeds: Path) -> Iterator[CandidateProcess]:
    """The bench's process, loaded and checked."""
    candidate = Candidate("ours", str(model), str(RUNNER), {"threads": 1})
    process = CandidateProcess(candidate, CancelWatch(None))
    try:
        loading = {"model": candidate.model, "runner": candidate.runner}
        process.call("cannot load", TIMEOUT, Loaded, do="load", options={"threads": 1}, **loading)
        outputs = str(feeds.with_name("outputs.npz"))
        request = {"feeds": str(feeds), "outputs": outputs}
        process.call("cannot run", TIMEOUT, FirstInference, do="check", **request)
        yield process
    finally:
        process.close()


def measure(
    model: Path, name: str, shape: Sequence[int], rounds: int, runs: int
) -> dict[str, object]:
    """Blocks of both in turns, each first in every other round."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        feeds = Path(folder) / "feeds.npz"
        array = numpy.random.default_rng(0).random(shape, dtype=numpy.float32)
        save_arrays(str(feeds), {name: array})
        bench = stack.enter_context(ours(model, feeds))
        raw = Raw(model, feeds)
        stack.callback(raw.close)
        medians: dict[str, list[float]] = {"raw": [], "ours": []}
        for number in range(rounds + 1):
            order = ("raw", "ours") if number % 2 else ("ours", "raw")
            for who in order:
                if who == "raw":
                    times = raw.block(runs)
                else:
                    request = {"runs": runs, "settle": 0}
                    times = bench.call("cannot run", TIMEOUT, Block, do="time", **request).times_ns
                if number:  # the first round warms both up
                    medians[who].append(statistics.median(times))
    [verdict], _ = compare("raw", medians)
    return {
        "model": model.name,
        "ours_p50_us": round(statistics.median(medians["ours"]) / 1e3, 3),
        "raw_p50_us": round(statistics.median(medians["raw"]) / 1e3, 3),
        "ratio": verdict.ratio,
        "low": verdict.low,
        "high": verdict.high,
        "rounds": rounds,
    }


def main() -> int:
    """Measure digits, and a model of the user's where one is given."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--model", type=Path, help="another model with one input")
    parser.add_argument("--input", default="x", help="name of its input")
    parser.add_argument("--shape", default="1x3x48x320", help="shape of its input")
    given = parser.parse_args()
    rows = [measure(DIGITS, "image", (1, 1, 8, 8), given.rounds, 200)]
    if given.model:
        shape = [int(size) for size in given.shape.split("x")]
        rows.append(measure(given.model, given.input, shape, given.rounds, 5))
    document = {
        "name": "bench overhead",
        "peer": "a loop around onnxruntime's InferenceSession.run",
        "models": rows,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
