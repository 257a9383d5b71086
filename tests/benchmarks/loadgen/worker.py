"""Both harnesses around one onnxruntime session, in turn; runs in LoadGen's environment.

    python -m tests.benchmarks.loadgen.worker MODEL FEEDS ROUNDS QUERIES FOLDER

Prints JSON: the latencies of both, and of each run of LoadGen what it printed.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import mlperf_loadgen

from studio.runtime.bench.arrays import load_arrays
from studio.runtime.bench.child import load_runner
from studio.runtime.bench.measures.timing import Run, measure, warm_up

RUNNER = Path(__file__).parents[3] / "plugins" / "studio_onnxruntime" / "runner.py"
PERCENTILES = (0.9, 0.99, 0.75)
_ESTIMATE = re.compile(r"Early stopping ([\d.]+)th percentile estimate: (\d+)")
_PERCENTILE = re.compile(r"^([\d.]+) percentile latency \(ns\)\s*: (\d+)", re.M)


def loadgen(run: Run, queries: int, percentile: float, folder: Path) -> dict[str, Any]:
    """One run of the scenario SingleStream: every latency in ns, and LoadGen's own figures."""

    def issue(samples: Any) -> None:
        for sample in samples:
            run()
            done = mlperf_loadgen.QuerySampleResponse(sample.id, 0, 0)
            mlperf_loadgen.QuerySamplesComplete([done])

    settings = mlperf_loadgen.TestSettings()
    settings.scenario = mlperf_loadgen.TestScenario.SingleStream
    settings.mode = mlperf_loadgen.TestMode.PerformanceOnly
    settings.min_query_count = settings.max_query_count = queries
    settings.min_duration_ms = 0
    settings.single_stream_target_latency_percentile = percentile
    output = mlperf_loadgen.LogOutputSettings()
    output.outdir = str(folder)
    logs = mlperf_loadgen.LogSettings()
    logs.log_output = output
    logs.enable_trace = True  # it holds each latency to the nanosecond
    system = mlperf_loadgen.ConstructSUT(issue, _nothing)
    library = mlperf_loadgen.ConstructQSL(1, 1, _nothing, _nothing)
    mlperf_loadgen.StartTestWithLogSettings(system, library, settings, logs)
    mlperf_loadgen.DestroySUT(system)
    mlperf_loadgen.DestroyQSL(library)
    trace = (folder / "mlperf_log_trace.json").read_text()
    summary = (folder / "mlperf_log_summary.txt").read_text()
    return {
        "times_ns": [int(each) for each in re.findall(r'"complete_ns":(\d+)', trace)],
        "estimates": {name: int(value) for name, value in _ESTIMATE.findall(summary)},
        "percentiles": {name: int(value) for name, value in _PERCENTILE.findall(summary)},
        "target": percentile,
    }


def _nothing(*_: object) -> None:
    pass


def main() -> int:
    """Measure both in turn; print."""
    model, feeds, rounds, queries, folder = sys.argv[1:]
    session = load_runner(str(RUNNER)).load(model, {"threads": 1})
    run = session.bind(load_arrays(feeds))
    warm_up(run, 2.0)
    ours, theirs = [], []
    for number in range(int(rounds)):
        turns = (True, False) if number % 2 else (False, True)
        for mine in turns:
            if mine:
                ours.append(measure(run, int(queries), 20).times_ns)
            else:
                measure(run, 20)  # what settles before ours settles before theirs
                percentile = PERCENTILES[number % len(PERCENTILES)]
                theirs.append(loadgen(run, int(queries), percentile, Path(folder)))
    json.dump({"ours": ours, "loadgen": theirs}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
