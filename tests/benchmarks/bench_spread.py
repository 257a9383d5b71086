"""Nine tasks on a Ray and a Slurm cluster of three nodes, against this computer alone.

Prints one JSON document. The tasks wait rather than compute: three nodes of one machine with two
processors cannot compute three times as fast. The ratio is that of the distribution, with starts,
files and records in it. With ``--kill`` a node is killed while it works; the peer is the same run
without it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.serve import environments
from tests.e2e.conftest import Studio
from tests.rigs.spread import waiting
from tests.rigs.spread.namespace import loopback_network
from tests.rigs.spread.ray_cluster import ADDRESS, RayCluster, ray_cluster
from tests.rigs.spread.slurm_cluster import SlurmCluster, slurm_cluster
from tests.rigs.spread.waiting import METHODS

ROOT = Path(__file__).parents[2]
_LOCKS = ROOT / "tests" / "integration" / "spread"
_LIMIT_S = 800.0


@dataclass(frozen=True)
class Place:
    """A cluster that works, and how it is reached."""

    cluster: RayCluster | SlurmCluster
    address: str
    under: list[str]
    variables: dict[str, str]

    def kill(self) -> None:
        """Kill one node with all that runs there."""
        if isinstance(self.cluster, RayCluster):
            self.cluster.kill_node(2)
        else:
            self.cluster.kill_node("n2")


@contextmanager
def cluster(kind: str, folder: Path, seconds: float) -> Iterator[Place]:
    """Start a cluster in a network of its own."""
    waiting.place(folder / "nodes", seconds)
    places = (str(ROOT), str(ROOT / "plugins"), sysconfig.get_path("purelib"))
    nodes = {"PYTHONPATH": os.pathsep.join(places), "EDGEWRIGHT_HOME": str(folder / "nodes")}
    daemons = folder / kind[0]
    daemons.mkdir(parents=True)
    variables = {**os.environ, **nodes}
    with loopback_network() as under:
        if kind == "ray":
            cache = Path(os.environ.get("EDGEWRIGHT_RIGS") or environments.default_cache())
            python = environments.install("ray", cache, _LOCKS) / "bin" / "python"
            with ray_cluster(python, daemons, under, variables) as ray:
                yield Place(ray, ADDRESS, under, {"EDGEWRIGHT_RAY_PYTHON": str(python)})
        else:
            with slurm_cluster(daemons, under, variables) as slurm:
                yield Place(slurm, f"slurm:{slurm.shared}", under, slurm.variables)


def timed(folder: Path, name: str, seconds: float, place: Place | None, kill: float) -> Any:
    """Run the matrix in a home of its own; returns time, digests and repetitions."""
    studio = Studio(folder / name)
    studio.environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "plugins")))
    waiting.place(Path(studio.environment["EDGEWRIGHT_HOME"]), seconds)
    data = shutil.copytree(ROOT / "resources" / "samples" / "digits", folder / f"{name}-data")
    words = ["run", str(waiting.pipeline(Path(data), METHODS)), "--json", "-v"]
    if place is not None:
        studio.environment.update(place.variables)
        words += ["--on", place.address]
    began = time.monotonic()
    timer = threading.Timer(kill, place.kill) if place is not None and kill else None
    if timer is not None:
        timer.start()
    ended = studio.run(*words, timeout=_LIMIT_S, under=place.under if place else ())
    took = time.monotonic() - began
    assert ended.code == 0, ended.err[-2000:] + ended.out[-2000:]
    report = ended.json
    lost = [line for line in ended.err.splitlines() if "starts again" in line]
    return {"seconds": took, "artefacts": report["artefacts"], "lost": lost}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="of one task")
    parser.add_argument("--clusters", nargs="+", default=["ray", "slurm"])
    parser.add_argument("--kill", action="store_true", help="also kill a node while it works")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sp"))
    load = os.getloadavg()
    alone = timed(folder, "alone", given.seconds, None, 0.0)
    found: dict[str, Any] = {}
    for kind in given.clusters:
        with cluster(kind, folder / kind, given.seconds) as place:
            spread = timed(folder, f"{kind}-run", given.seconds, place, 0.0)
            spread["ratio"] = alone["seconds"] / spread["seconds"]
            spread["same"] = spread.pop("artefacts") == alone["artefacts"]
            found[kind] = spread
            if given.kill:
                kill = timed(folder, f"{kind}-kill", given.seconds, place, 1.5 * given.seconds)
                kill["same"] = kill.pop("artefacts") == alone["artefacts"]
                found[f"{kind}, a node killed"] = kill
    shutil.rmtree(folder, ignore_errors=True)
    document = {
        "name": "nine waiting tasks on three nodes",
        "peer": "the same pipeline on this computer alone",
        "task_seconds": given.seconds,
        "load": load,
        "alone_seconds": alone["seconds"],
        "results": found,
    }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
