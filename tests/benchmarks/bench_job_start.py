"""How long a click waits for its job to begin: with a worker kept ready, and without."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.jobs import JobListener, JobRunner, JobSpec, RunningJob
from studio.settings import Paths

ROUNDS = 15


class FirstWord(JobListener):
    """Waits for the first thing that the work itself says."""

    def __init__(self) -> None:
        self.heard = threading.Event()

    def message(self, job: RunningJob, name: str, values: Mapping[str, Any]) -> None:
        """Called on the job's thread."""
        self.heard.set()


def measure(runner: JobRunner, listener: FirstWord, *, ready: bool) -> float:
    """Seconds from the click to the first word of the work."""
    if ready:
        runner.prepare()
        time.sleep(1.0)  # what a user takes to look at the page
    listener.heard.clear()
    spec = JobSpec("bench", "Bench", "tests.benchmarks.job_start_work:speak", {})
    began = time.perf_counter()
    job = runner.start(spec)
    assert listener.heard.wait(30)
    seconds = time.perf_counter() - began
    job.wait(30)
    return seconds


def main() -> int:
    """Print one JSON document."""
    seen: dict[str, list[float]] = {"ready": [], "cold": []}
    with tempfile.TemporaryDirectory() as folder:
        listener = FirstWord()
        home, root = Path(folder), Path(__file__).parents[2]
        # The work of this file lies in the checkout, which may be below a hidden folder.
        runners = {
            name: JobRunner(Paths.of(home=home / name), store=root, listener=listener)
            for name in seen
        }
        for _ in range(ROUNDS):
            for name, runner in runners.items():
                seconds = measure(runner, listener, ready=name == "ready")
                seen[name].append(seconds * 1000)
        for runner in runners.values():
            runner.close()
        level = runner.containment.value
    medians = {name: statistics.median(values) for name, values in seen.items()}
    document = {
        "benchmark": "job start",
        "sandbox": level,
        "median_ms": medians,
        "worst_ms": {name: max(values) for name, values in seen.items()},
        "ratio": medians["ready"] / medians["cold"],
        "rounds": ROUNDS,
    }
    print(json.dumps(document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
