"""A rollout to 200 simulated boards of which one in twenty fails: time, memory, and what is left.

The boards are one process (``tests/rigs/fleet``): real release machines on real folders, without
models. It has to halt as told, be resumed, and leave no board half-done.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from studio.settings.paths import HOME_VARIABLE
from studio.workspace import Workspace
from tests.rigs.bundles import make_bundle
from tests.rigs.fleet.driver import SimulatedFleet, agree, place_plugin

COUNT = 200
KINDS = ("silent", "probe", "serving")


def main() -> int:
    """Print one JSON document."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[HOME_VARIABLE] = str(Path(folder) / "home")
        print(json.dumps(measure(Path(folder)), indent=1))
    return 0


def measure(folder: Path) -> dict[str, Any]:
    """The three rollouts."""
    place_plugin(folder / "home")
    first, second = (make_bundle(folder / "bundles", number) for number in (1, 2))
    bundles = {one.digest: one for one in (first, second)}
    failing = {f"b{n:03}": KINDS[n // 20 % len(KINDS)] for n in range(13, COUNT, 20)}
    with SimulatedFleet(folder / "boards", COUNT) as fleet:
        fleet.start()
        with Workspace.open() as opened:
            agree(opened)
            fleet.introduce(opened)
            new = _roll_out(opened, bundle=str(first.folder), target=["@all"], strategy="all")
            fleet.start(failing)
            halted = _roll_out(
                opened,
                bundle=str(second.folder),
                target=["@all"],
                strategy="waves",
                first_wave=5,
                wave_size=50,
                max_failures=3,
            )
            fleet.check(bundles)
            mixed = list(fleet.serving().values())
            fleet.start()
            resumed = _roll_out(opened, resume="last")
            memory = fleet.memory_mb()
        fleet.check(bundles)
        whole = set(fleet.serving().values()) == {second.digest}
    return {
        "boards": COUNT,
        "failing": len(failing),
        "first": new,
        "second": halted,
        "serving_new_when_halted": mixed.count(second.digest),
        "serving_old_when_halted": mixed.count(first.digest),
        "resumed": resumed,
        "all_serve_the_new": whole,
        "simulator_mb": round(memory),
        "worker_peak_mb": round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
        "load": os.getloadavg()[0],
    }


def _roll_out(opened: Workspace, **options: Any) -> dict[str, Any]:
    began, spent = time.monotonic(), sum(os.times()[:4])
    told = {"parallel": 16, "requests": 10, "soak_s": 5, "max_latency_ratio": 1000.0}
    outcome = opened.run("rollout", **{**({} if "resume" in options else told), **options})
    if not outcome.ok:
        sys.exit(outcome.sentence)
    states = [row["state"] for row in outcome.document["targets"]]
    return {
        "state": outcome.document["state"],
        **{state: states.count(state) for state in sorted(set(states))},
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(sum(os.times()[:4]) - spent, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
