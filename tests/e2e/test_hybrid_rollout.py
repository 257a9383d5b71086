"""One rollout over kinds of targets that differ: this computer and a real container engine."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel
from studio.settings import Paths
from tests.e2e.conftest import Studio
from tests.rigs.containers import free_port
from tests.rigs.engine import BASE, DockerEngine
from tests.unit.runtime.models import make_cnn

pytestmark = pytest.mark.rig

MISSED = 3
"""The command's end when a rollout was halted."""

RULE = ("--requests", "10", "--max-latency-ratio", "6")
"""The slow model takes some 200 times as long; on a busy machine that is seen as 20 and more."""


class Fleet:
    """The target ``local`` and the container ``box``, and the command that releases on both."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._port = free_port()
        self.add_box(BASE)

    def add_box(self, base: str) -> None:
        """Add the container with the image that it is to be made from, or change that."""
        settings = {"base": base, "network": "host", "port": self._port}
        pairs = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        self._studio.ok("target", "add", "box", "docker:hybrid", *pairs)

    def roll_out(self, model: Path, *words: str) -> tuple[int, dict[str, Any]]:
        """Release, ``local`` first unless the words say otherwise."""
        where = ("--target", "local", "--target", "box", *words)
        ended = self._studio.run("rollout", model, *where, *RULE, "--json")
        assert ended.out, ended.err
        return ended.code, ended.json

    def served(self) -> list[str]:
        """The releases that the two servers name themselves, past every record."""
        root = self._studio.home / "edgewright" / "data" / "releases"
        local = json.loads((root / "run" / "server.json").read_text())["port"]
        return [_digest(local), _digest(self._port)]

    def recorded(self) -> list[str]:
        """The releases that the targets' own records name."""
        rows = [self._studio.ok("releases", "--target", name) for name in ("local", "box")]
        return [next(r["release"] for r in found if r["state"] == "serving") for found in rows]

    def close(self) -> None:
        """Serve nothing."""
        for name in ("local", "box"):
            self._studio.run("undeploy", "--target", name, "--purge")


def _digest(port: int) -> str:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        link.request("GET", "/edgewright/status")
        return str(json.loads(link.getresponse().read())["digest"])
    finally:
        link.close()


def states(result: dict[str, Any]) -> list[str]:
    return [row["state"] for row in result["targets"]]


@pytest.fixture
def models(tmp_path: Path) -> dict[str, Path]:
    """Versions of one model; ``slow`` has thousands of times the work of the others."""
    made = {"first": (1, 8), "slow": (2, 1024), "second": (3, 8)}
    paths = {}
    for name, (seed, channels) in made.items():
        (tmp_path / name).mkdir()
        paths[name] = make_cnn(tmp_path / name / "cnn.onnx", seed=seed, channels=channels)
    return paths


@pytest.fixture
def fleet(engine: DockerEngine, parcels: tuple[Parcel, Parcel], studio: Studio) -> Iterator[Fleet]:
    """Both targets with nothing on them."""
    studio.environment["DOCKER_HOST"] = engine.url
    wheels = Paths.of().cache / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    shutil.copytree(wheels, studio.home / "edgewright" / "cache" / "wheels")  # not loaded twice
    fleet = Fleet(studio)
    yield fleet
    fleet.close()


@pytest.mark.long
def test_canary_then_the_rest_and_back(fleet: Fleet, models: dict[str, Path]) -> None:
    canary = ("--strategy", "canary", "--first-wave", "1")
    code, result = fleet.roll_out(models["first"], *canary)
    assert (code, result["state"], states(result)) == (0, "done", ["kept", "kept"]), result
    assert [row["wave"] for row in result["targets"]] == [1, 2]
    first = [result["release"]] * 2
    assert fleet.served() == first

    # The one rule takes the slow version back from the canary; the rest never gets it.
    code, result = fleet.roll_out(models["slow"], *canary)
    assert (code, states(result)) == (MISSED, ["taken back", "not begun"]), result
    assert "median latency" in result["targets"][0]["text"]
    assert fleet.served() == first

    # It holds for both kinds.
    code, result = fleet.roll_out(models["slow"], "--strategy", "all")
    assert (code, states(result)) == (MISSED, ["taken back", "taken back"]), result
    assert all("median latency" in row["text"] for row in result["targets"])
    assert fleet.served() == first

    # The rest fails: the canary, which had kept the version, gives it back.
    fleet.add_box(f"127.0.0.1:{free_port()}/none:1")
    code, result = fleet.roll_out(models["second"], *canary, "--rollback-on-halt")
    assert (code, states(result)) == (MISSED, ["taken back", "failed"]), result
    assert fleet.served() == fleet.recorded() == first

    # Mended and repeated, it goes on; both serve the second version.
    fleet.add_box(BASE)
    code, result = fleet.roll_out(models["second"], *canary)
    assert (code, states(result)) == (0, ["kept", "kept"]), result
    assert fleet.served() == fleet.recorded() == [result["release"]] * 2
