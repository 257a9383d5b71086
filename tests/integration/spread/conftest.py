"""A Ray and a Slurm cluster of three nodes each, and homes with methods that wait."""

from __future__ import annotations

import os
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.benchmarks.serve import environments
from tests.e2e.conftest import Studio
from tests.rigs.spread import hostile_actor, waiting
from tests.rigs.spread.namespace import loopback_network
from tests.rigs.spread.ray_cluster import ADDRESS, RayCluster, ray_cluster
from tests.rigs.spread.slurm_cluster import PROGRAMS, SlurmCluster, slurm_cluster
from tests.rigs.spread.waiting import METHODS

ROOT = Path(__file__).parents[3]
SECONDS = 10.0
"""Of a task; nine of them take a minute and a half one after the other."""


@dataclass(frozen=True)
class Spread:
    """The studio and a cluster.

    Attributes:
        address: What ``--on`` is given.
        under: Words before a command that shall reach the cluster.
        matrix: A pipeline of nine tasks that wait.
        quick: A pipeline of three that compute.
    """

    studio: Studio
    cluster: RayCluster | SlurmCluster
    address: str
    under: list[str]
    matrix: Path
    quick: Path


@pytest.fixture(scope="session")
def ray_python(rigs: Path) -> Path:
    """The Python of an environment with Ray."""
    return environments.install("ray", rigs, Path(__file__).parent) / "bin" / "python"


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder below which paths of sockets have up to 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:
        yield Path(folder)


@pytest.fixture
def on_ray(tmp_path: Path, short: Path, ray_python: Path) -> Iterator[Spread]:
    """A Ray cluster of three nodes."""
    with (
        loopback_network() as under,
        ray_cluster(ray_python, short, under, _nodes(tmp_path)) as cluster,
    ):
        variables = {"EDGEWRIGHT_RAY_PYTHON": str(ray_python)}
        yield _spread(tmp_path, cluster, ADDRESS, under, variables)


@pytest.fixture(scope="module")
def on_hostile_ray(tmp_path_factory: pytest.TempPathFactory, ray_python: Path) -> Iterator[Spread]:
    """A Ray cluster whose node answers with a pickle that reads and writes in the home."""
    folder = tmp_path_factory.mktemp("hostile")
    nodes = _nodes(folder)
    shadow = hostile_actor.place(folder / "h", folder / "studio")
    nodes["PYTHONPATH"] = f"{shadow}:{nodes['PYTHONPATH']}"
    with (
        tempfile.TemporaryDirectory(prefix="ray-") as short,
        loopback_network() as under,
        ray_cluster(ray_python, Path(short), under, nodes, 1) as cluster,
    ):
        variables = {"EDGEWRIGHT_RAY_PYTHON": str(ray_python)}
        yield _spread(folder, cluster, ADDRESS, under, variables)


@pytest.fixture
def on_slurm(tmp_path: Path) -> Iterator[Spread]:
    """A Slurm cluster of three nodes."""
    places = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=places) is None]
    assert not missing, f"apt-get install slurm-wlm munge: {missing}"
    folder = tmp_path / "s"
    folder.mkdir()
    with (
        loopback_network() as under,
        slurm_cluster(folder, under, _nodes(tmp_path)) as cluster,
    ):
        yield _spread(tmp_path, cluster, f"slurm:{cluster.shared}", under, cluster.variables)


def _nodes(folder: Path) -> dict[str, str]:
    """Return the variables of the nodes: a home of their own, and the studio of this checkout."""
    waiting.place(folder / "nodes", SECONDS)
    places = (str(ROOT), str(ROOT / "plugins"), sysconfig.get_path("purelib"))
    own = {"PYTHONPATH": os.pathsep.join(places), "EDGEWRIGHT_HOME": str(folder / "nodes")}
    return {**os.environ, **own}


def _spread(
    folder: Path,
    cluster: RayCluster | SlurmCluster,
    address: str,
    under: list[str],
    variables: Mapping[str, str],
) -> Spread:
    studio = Studio(folder / "studio")
    studio.environment.update(variables)
    waiting.place(Path(studio.environment["EDGEWRIGHT_HOME"]), SECONDS)
    pipelines = []
    for name, methods in (("matrix", METHODS), ("quick", ("static-int8", "fp16", "bf16"))):
        data = shutil.copytree(ROOT / "resources" / "samples" / "digits", folder / name)
        pipelines.append(waiting.pipeline(Path(data), methods))
    return Spread(studio, cluster, address, under, pipelines[0], pipelines[1])
