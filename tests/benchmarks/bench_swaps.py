"""Hot swaps between two versions under load, by deploying to a root and by loading from a folder.

Each version answers with a number of its own, so that a wrong answer shows. Prints one JSON
document; ends with 1 when a request failed or was answered by a version that it should not get.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.serve.swaps import Asker, Stage, State
from tests.unit.runtime.serve import rig

ANSWERS_BETWEEN = 4
"""Of every client, so that the version that was switched to is really asked."""


class Root:
    """Swaps as a deployment makes them: one rename, one signal, then the server's own report."""

    title = "deployed to a root"

    def __init__(self, folder: Path) -> None:
        self._root = folder / "root"
        self._releases = {}
        for version in (1, 2):
            model = rig.constant(folder / f"v{version}.onnx", version)
            self._releases[version] = rig.bundle(self._root / "releases", model, version)
        rig.switch(self._root, self._releases[1])
        self.arguments = [f"--root={self._root}"]
        self.digests = {str(version): path.name for version, path in self._releases.items()}

    def state(self, version: int) -> State:
        """Only the current version is there."""
        return State(str(version), frozenset({str(version)}))

    def swap(self, server: rig.ServerProcess, version: int) -> None:
        """Switch, and wait until the server says that it serves it."""
        generation = rig.report(self._root)["generation"]
        rig.switch(self._root, self._releases[version])
        server.hang_up()
        rig.wait_until(lambda: rig.report(self._root)["generation"] > generation, "the swap")


class Folder:
    """Swaps as the model repository extension makes them: version 2 comes and goes beside 1."""

    title = "loaded from a folder"

    def __init__(self, folder: Path) -> None:
        self._models = folder / "models"
        for version in ("1", ".2"):
            place = self._models / "answer" / version
            place.mkdir(parents=True)
            rig.constant(place / "model.onnx", float(version[-1]))
        self.arguments = [f"--models={self._models}"]
        self.digests: dict[str, str] = {}

    def state(self, version: int) -> State:
        """Version 1 is always there."""
        return State(str(version), frozenset(str(number) for number in range(1, version + 1)))

    def swap(self, server: rig.ServerProcess, version: int) -> None:
        """Move version 2 into its place or away, and have the model loaded again."""
        place = self._models / "answer"
        names = (".2", "2") if version == 2 else ("2", ".2")
        os.rename(place / names[0], place / names[1])
        status, said = server.call("POST", "/v2/repository/models/answer/load")
        if status != 200:
            raise RuntimeError(f"load: {status} {said}")


def measure(way: Root | Folder, folder: Path, swaps: int, clients: int) -> dict[str, Any]:
    """So many swaps while so many clients ask."""
    times = []
    with rig.ServerProcess(*way.arguments, log=folder / "log") as server:
        stage = Stage(way.state(1), way.digests)
        askers = [Asker(server, stage, number) for number in range(clients)]
        began = time.perf_counter()
        try:
            for number in range(swaps):
                version = 2 - number % 2
                stage.swap_to(way.state(version))
                start = time.perf_counter()
                way.swap(server, version)
                times.append(time.perf_counter() - start)
                stage.settle()
                _wait_for_answers(askers)
        finally:
            for asker in askers:
                asker.end()
        seconds = time.perf_counter() - began
    return {"way": way.title, "swaps": swaps, **told(askers, times, seconds)}


def _wait_for_answers(askers: list[Asker]) -> None:
    goals = [asker.answers + ANSWERS_BETWEEN for asker in askers]
    rig.wait_until(
        lambda: all(a.answers >= goal for a, goal in zip(askers, goals, strict=True)), "answers"
    )


def told(askers: list[Asker], times: list[float], seconds: float) -> dict[str, Any]:
    """Figures of all clients together."""
    latencies = np.concatenate([np.array(asker.latencies) for asker in askers])
    failed = [sentence for asker in askers for sentence in asker.failed]
    wrong = [sentence for asker in askers for sentence in asker.wrong]
    return {
        "seconds": round(seconds, 1),
        "swap_ms": percentiles(np.array(times)),
        "requests": sum(asker.answers for asker in askers),
        "of_named_versions": sum(asker.named for asker in askers),
        "while_nothing_changed": sum(asker.settled for asker in askers),
        "not_there": sum(asker.not_there for asker in askers),
        "latency_ms": percentiles(latencies),
        "failed": len(failed),
        "wrong": len(wrong),
        "examples": (failed + wrong)[:5],
    }


def percentiles(seconds: np.ndarray) -> dict[str, float]:
    """p50, p99 and the longest, in milliseconds."""
    p50, p99, most = np.percentile(seconds, [50, 99, 100]) * 1e3
    return {"p50": round(p50, 2), "p99": round(p99, 2), "max": round(most, 2)}


def main() -> int:
    """Both ways of swapping."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--swaps", type=int, default=1000, help="of each way")
    parser.add_argument("--clients", type=int, default=4)
    given = parser.parse_args()
    found = []
    ways: tuple[Callable[[Path], Root | Folder], ...] = (Root, Folder)
    for way in ways:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            found.append(measure(way(folder), folder, given.swaps, given.clients))
    passed = not any(one["failed"] or one["wrong"] for one in found)
    print(json.dumps({"name": "swaps", "ways": found, "passed": passed}, indent=1))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
