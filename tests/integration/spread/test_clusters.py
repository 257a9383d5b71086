"""Matrices of pipelines on Ray and on Slurm: the digests of here, lost nodes, a lost cluster."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integration.spread.conftest import SECONDS, Spread
from tests.rigs.spread.ray_cluster import RayCluster
from tests.rigs.spread.waiting import METHODS

LIMIT_S = 900.0


@pytest.fixture(params=["on_ray", "on_slurm"])
def spread(request: pytest.FixtureRequest) -> Spread:
    """The studio and each cluster."""
    found: Spread = request.getfixturevalue(request.param)
    return found


def away(spread: Spread, pipeline: Path) -> Any:
    """Run a pipeline on the cluster; returns its report."""
    words = ("run", pipeline, "--on", spread.address, "--json")
    ended = spread.studio.run(*words, timeout=LIMIT_S, under=spread.under)
    assert ended.code == 0, ended.err[-2000:] + ended.out[-2000:]
    return ended.json


def here(spread: Spread, pipeline: Path) -> Any:
    """Run it on this computer, in another home."""
    home = spread.studio.environment["EDGEWRIGHT_HOME"]
    spread.studio.environment["EDGEWRIGHT_HOME"] = str(Path(home).with_name("nodes"))
    try:
        return spread.studio.ok("run", pipeline, timeout=LIMIT_S)
    finally:
        spread.studio.environment["EDGEWRIGHT_HOME"] = home


def kill_one(spread: Spread, after: float) -> None:
    """Kill the second node after some time."""
    time.sleep(after)
    cluster = spread.cluster
    cluster.kill_node(2) if isinstance(cluster, RayCluster) else cluster.kill_node("n2")


def test_the_digests_are_those_of_here(spread: Spread) -> None:
    found = away(spread, spread.quick)
    assert found["artefacts"] == here(spread, spread.quick)["artefacts"]


def test_a_killed_node_costs_its_task_alone(spread: Spread) -> None:
    killer = threading.Thread(target=kill_one, args=(spread, 2 * SECONDS))
    killer.start()
    found = away(spread, spread.matrix)
    killer.join()
    assert len(set(found["artefacts"].values())) == len(METHODS) + 1
    assert {step["state"] for step in found["steps"]} == {"succeeded"}


def test_a_cluster_that_is_away_is_one_sentence(on_ray: Spread) -> None:
    assert isinstance(on_ray.cluster, RayCluster)
    on_ray.cluster.kill_head()
    words = ("run", on_ray.quick, "--on", on_ray.address, "--json")
    ended = on_ray.studio.run(*words, timeout=LIMIT_S, under=on_ray.under)
    assert ended.code != 0
    assert "does not do it" in ended.out + ended.err
