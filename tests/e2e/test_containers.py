"""A real Docker engine: images built, run, updated under load, taken back, removed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from studio.api import Parcel, TargetSpec
from studio.api.testing_platforms import Example, check_platform
from studio.deployment.hosting import parcel_of
from studio_docker.platform import DockerPlatform
from tests.rigs.bundles import QuietJob, make_bundle
from tests.rigs.engine import BASE, DockerEngine, base_archive, docker_engine

pytestmark = pytest.mark.rig
REQUEST = json.dumps(
    {
        "inputs": [
            {"name": "image", "shape": [1, 3, 16, 16], "datatype": "FP32", "data": [0.5] * 768}
        ]
    }
).encode()


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerEngine]:
    with docker_engine() as engine:
        engine.run("import", str(base_archive()), BASE)
        yield engine


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Parcel, Parcel]:
    folder = tmp_path_factory.mktemp("parcels")
    made = [make_bundle(folder / f"v{number}", number) for number in (1, 2)]
    first, second = (
        parcel_of(bundle, QuietJob(folder / f"job{bundle.version}"), "ann") for bundle in made
    )
    return first, second


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def target(engine: DockerEngine, name: str) -> TargetSpec:
    return TargetSpec(name, f"docker+unix://{engine.socket}/{name}")


def options(**more: object) -> dict[str, object]:
    return {"base": BASE, "network": "host", "port": free_port(), **more}


def test_conformance(engine: DockerEngine, parcels: tuple[Parcel, Parcel]) -> None:
    example = Example(*parcels, REQUEST, options(), canary=False)
    check_platform(DockerPlatform(), target(engine, "suite"), example)
