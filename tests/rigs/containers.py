"""What the tests of container engines share: parcels, options, places at an engine."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.api import Parcel, Site, TargetSpec, validate
from studio.api.testing import Recorder
from studio.deployment.platform_verbs import parcel_of
from studio_docker.platform import DockerPlatform
from tests.rigs.bundles import QuietJob, make_bundle
from tests.rigs.engine import BASE

REQUEST = json.dumps(
    {
        "inputs": [
            {"name": "image", "shape": [1, 3, 16, 16], "datatype": "FP32", "data": [0.5] * 768}
        ]
    }
).encode()


def make_parcels(folder: Path) -> tuple[Parcel, Parcel]:
    """Two versions of one small model, with the real libraries."""
    made = [make_bundle(folder / f"v{number}", number) for number in (1, 2)]
    first, second = (
        parcel_of(bundle, QuietJob(folder / f"job{bundle.version}"), "ann") for bundle in made
    )
    return first, second


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def target(path: Path, name: str) -> TargetSpec:
    """A place at the engine with that socket."""
    return TargetSpec(name, f"docker+unix://{path}/{name}")


def options(**more: Any) -> dict[str, Any]:
    """Checked options of a deploy at a free port."""
    given = {"base": BASE, "port": free_port(), **more}
    return {**validate(DockerPlatform.deploy_options, given), "canary": 0}


@contextmanager
def site_at(path: Path, name: str) -> Iterator[Site]:
    """A session that leaves nothing behind."""
    site = DockerPlatform().open(target(path, name), Recorder())
    try:
        yield site
    finally:
        site.remove(True, Recorder())
        site.close()
