"""Podman as the second engine: the same suite, the same image as Docker would run."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, TakenBack
from studio.api.testing import Recorder
from studio.api.testing_platforms import Example, check_platform
from studio_docker.engine.client import Engine
from studio_docker.engine.connection import connect
from studio_docker.platform import DockerPlatform
from tests.rigs.boards import until
from tests.rigs.containers import REQUEST, free_port, make_parcels, options, site_at, target
from tests.rigs.engine import BASE, base_archive, docker_engine, remove_tree
from tests.rigs.load import Load, varied

pytestmark = [pytest.mark.rig, pytest.mark.needs("podman", "runc", "docker", "mmdebstrap")]


@pytest.fixture(scope="module")
def socket() -> Iterator[Path]:
    """The socket of a Podman with folders of its own."""
    folder = Path(tempfile.mkdtemp(prefix="edgewright-podman-"))
    path = folder / "p.sock"
    command = ["podman", "--root", f"{folder}/root", "--runroot", f"{folder}/run"]
    command += ["--tmpdir", f"{folder}/tmp", "--cgroup-manager=cgroupfs", "--runtime=runc"]
    environment = {**os.environ, "PODMAN_IGNORE_CGROUPSV1_WARNING": "1"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "system", "service", "--time=0", f"unix://{path}"],
            stdout=log,
            stderr=log,
            env=environment,
        )
    try:
        until(path.exists, "Podman's service listens", 30)
        docker = ["docker", "-H", f"unix://{path}"]
        load = [*docker, "import", str(base_archive()), BASE]
        subprocess.run(load, check=True, timeout=120, capture_output=True)
        yield path
    finally:
        for words in (["rm", "--all", "--force"], ["rmi", "--all", "--force"]):
            subprocess.run([*command, *words], capture_output=True, timeout=60, env=environment)
        process.terminate()
        process.wait(20)
        remove_tree(folder)


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Parcel, Parcel]:
    return make_parcels(tmp_path_factory.mktemp("parcels"))


def test_conformance(socket: Path, parcels: tuple[Parcel, Parcel]) -> None:
    chosen = {"base": BASE, "network": "host", "port": free_port()}
    check_platform(
        DockerPlatform(), target(socket, "suite"), Example(*parcels, REQUEST, chosen, canary=False)
    )


def test_updates_under_load_lose_no_request(socket: Path, parcels: tuple[Parcel, Parcel]) -> None:
    chosen = options(network="host")
    with site_at(socket, "load") as site:
        assert site.identity().facts["product"] == "Podman"
        site.deploy(parcels[0], chosen, Recorder())
        with Load(int(chosen["port"])) as load:
            load.more(200)
            site.deploy(parcels[1], chosen, Recorder())
            load.more(200)
            site.rollback(None, Recorder())
            load.more(200)
    assert load.failures == []


def test_a_trial_is_held_and_a_worse_release_taken_back(
    socket: Path, parcels: tuple[Parcel, Parcel]
) -> None:
    """Two models with weights of their own never agree."""
    first, second = parcels
    chosen = options(network="host")
    rule = {"judge": "errors,agreement"}
    with site_at(socket, "trial") as site:
        site.deploy(first, chosen, Recorder())
        with Load(int(chosen["port"]), clients=2, bodies=varied()) as load:
            load.more(50)
            with pytest.raises(
                TakenBack, match="results differ from the previous release"
            ) as raised:
                site.deploy(second, {**chosen, "trial": _trial(rule)}, Recorder())
            load.more(50)
            states = {one.release: one.state for one in site.releases()}
            assert states == {first.digest: "serving", second.digest: "failed"}
            kept = site.deploy(second, {**chosen, "trial": _trial({"judge": "errors"})}, Recorder())
            load.more(50)
    assert load.failures == []
    assert raised.value.evidence["decision"] == "taken back"
    assert (kept.release, kept.facts["soak"]["decision"]) == (second.digest, "kept")


def _trial(rule: dict[str, str]) -> dict[str, Any]:
    return {"seconds": 120.0, "rule": rule}


def test_both_engines_run_the_same_layers(socket: Path, parcels: tuple[Parcel, Parcel]) -> None:
    """But for that of the bundle: its list of parts names the base's ID, new with each import."""
    layers = []
    with docker_engine() as docker:
        docker.load_base()
        for path in (socket, docker.socket):
            with site_at(path, "same") as site:
                done = site.deploy(parcels[0], options(network="host"), Recorder())
                engine = Engine(connect(f"unix://{path}"), str(path))
                about = engine.image(str(done.facts["image"]))
                engine.close()
            assert about is not None
            layers.append(about["RootFS"]["Layers"])
    assert layers[0][:3] == layers[1][:3]
    assert len(layers[0]) == len(layers[1]) == 4
