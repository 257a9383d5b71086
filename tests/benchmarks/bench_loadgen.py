"""The bench's latencies and its early-stopping estimate beside those of MLPerf's LoadGen.

    python -m tests.benchmarks.bench_loadgen [--rounds N]

Both time the same onnxruntime session in the same process, in turn. p50 and p90 of all rounds must
lie within the larger of 3 % and 10 us; the early-stopping estimates that LoadGen prints must equal
ours on the same latencies, to the nanosecond. LoadGen is installed from the package index into an
environment of its own, in the version of ``loadgen/locks``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from studio.runtime.bench.arrays import save_arrays
from studio.runtime.bench.statistics.binomial import early_stopping
from tests.benchmarks.bench_aa import WIDTH, network
from tests.benchmarks.bench_backends import MODELS
from tests.benchmarks.serve.environments import default_cache, install

ROOT = Path(__file__).parents[2]
LOCKS = Path(__file__).parent / "loadgen" / "locks"
RELATIVE, ABSOLUTE_NS = 0.03, 10_000
QUERIES = {"silero-vad": 700, "columns": 150, "magika": 70}
"""Of a round: enough for an estimate of p99, of p90, and just enough for p90."""


def models(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Model and feeds by name."""
    made = {}
    for each in MODELS:
        if each.name in QUERIES:
            feeds = folder / f"{each.name}.npz"
            save_arrays(str(feeds), each.feeds())
            made[each.name] = (each.files()[0], feeds)
    feeds = folder / "columns.npz"
    image = numpy.random.default_rng(1).random((1, 3, 96, 112), dtype=numpy.float32)
    save_arrays(str(feeds), {"image": image})
    made["columns"] = (network(folder / "columns.onnx", WIDTH), feeds)
    return made


def measure(python: Path, name: str, files: Sequence[Path], rounds: int) -> dict[str, Any]:
    """Both harnesses on one model."""
    with tempfile.TemporaryDirectory() as folder:
        words = [*map(str, files), str(rounds), str(QUERIES[name]), folder]
        done = subprocess.run(
            [str(python), "-m", "tests.benchmarks.loadgen.worker", *words],
            cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    told = json.loads(done.stdout[done.stdout.index('{"ours"') :])
    return {"model": name} | latencies(told) | estimates(told["loadgen"])


def latencies(told: Mapping[str, Any]) -> dict[str, Any]:
    """p50 and p90 of both over all rounds, in microseconds."""
    ours = numpy.concatenate([numpy.asarray(each) for each in told["ours"]])
    theirs = numpy.concatenate([numpy.asarray(each["times_ns"]) for each in told["loadgen"]])
    row: dict[str, Any] = {"samples": [len(ours), len(theirs)], "within": True}
    for percentile in (50, 90):
        a, b = (float(numpy.percentile(each, percentile)) for each in (ours, theirs))
        row[f"p{percentile}_us"] = [round(a / 1e3, 2), round(b / 1e3, 2)]
        row[f"p{percentile}_ratio"] = round(a / b, 4)
        row["within"] &= abs(a - b) <= max(RELATIVE * b, ABSOLUTE_NS)
    return row


def estimates(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """How many early-stopping estimates of LoadGen are ours too."""
    compared = equal = 0
    for run in runs:
        ordered = sorted(run["times_ns"])
        for percentile, value in run["estimates"].items():
            compared += 1
            equal += early_stopping(ordered, float(percentile)) == value
        for percentile in (90.0, 99.0):  # where it prints none, there must be none
            if f"{percentile:.1f}" not in run["estimates"] and percentile in (
                run["target"] * 100,
                99.0,
            ):
                compared += 1
                equal += early_stopping(ordered, percentile) is None
    return {"estimates": compared, "equal": equal}


def main() -> int:
    """Install, measure, print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=12)
    given = parser.parse_args()
    python = install("loadgen", default_cache(), LOCKS) / "bin" / "python"
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            measure(python, name, files, given.rounds)
            for name, files in models(Path(folder)).items()
        ]
    met = all(row["within"] and row["equal"] == row["estimates"] for row in rows)
    document = {
        "name": "latency beside MLPerf LoadGen 6.0.17",
        "goal": "p50 and p90 within max(3 %, 10 us); every early-stopping estimate equal",
        "models": rows,
        "met": met,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(document, indent=1))
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
