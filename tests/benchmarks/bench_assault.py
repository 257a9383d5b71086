"""A server under everything at once: unfinished bodies, tiny chunks, idle connections and the rest.

Prints one JSON document: how long liveness takes meanwhile, the most memory above rest, and what
honest clients lost. The peer is the same server at rest, asked by the same clients before.

    python -m tests.benchmarks.bench_assault --seconds 60 [--checkout ../before]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.conformance.models import PREPROCESS, brightness, bundle
from tests.rigs.assault import AssaultProcess, Clients, Memory
from tests.unit.runtime.serve import rig

HEALTH_S = 1.0
MEMORY_MB = 400.0


def main() -> int:
    """Measure; 0 also when a goal is missed, which the document says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--bodies", type=int, default=12)
    parser.add_argument("--idle", type=int, default=1500)
    parser.add_argument("--calls", type=int, default=6)
    parser.add_argument("--checkout", type=Path, default=rig.REPOSITORY, help="whose server")
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rig.REPOSITORY = given.checkout.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = bundle(folder / "bundle", brightness(folder / "bright.onnx"), preprocess=PREPROCESS)
        arguments = (f"--bundle={model}", "--grpc-port=0")
        with rig.ServerProcess(*arguments, log=folder / "log") as server:
            before = _asked(server, given.seconds / 4)
            memory = Memory(server.process.pid)
            assault = AssaultProcess(server, given.bodies, given.idle, given.calls)
            during = _asked(server, given.seconds)
            above = memory.above_rest
            assault.end()
    document = {
        "name": "assault",
        "peer": "the same server at rest",
        "rest": before,
        "attacked": during,
        "memory_above_rest_mb": round(above, 1),
        "attempts": assault.attempts,
        "goals": {
            f"health <= {HEALTH_S:g} s": _verdict(during["probe_ms"]["max"] <= HEALTH_S * 1e3),
            f"memory <= {MEMORY_MB:g} MB above rest": _verdict(above <= MEMORY_MB),
            "honest clients lose nothing": _verdict(not during["failed"]),
        },
        "load": os.getloadavg()[0],
    }
    print(json.dumps(document, indent=1))
    return 0


def _asked(server: rig.ServerProcess, seconds: float) -> dict[str, Any]:
    clients = Clients(server.host, server.port)
    clients.begin()
    time.sleep(seconds)
    clients.end()
    probes = np.array(clients.probe_s) * 1e3
    quantiles = {"p50": np.median(probes), "p99": np.percentile(probes, 99), "max": probes.max()}
    return {
        "answers": clients.answers,
        "failed": len(clients.failures),
        "first_failures": clients.failures[:3],
        "probe_ms": {name: round(float(value), 1) for name, value in quantiles.items()},
    }


def _verdict(holds: bool) -> str:
    return "met" if holds else "missed"


if __name__ == "__main__":
    sys.exit(main())
