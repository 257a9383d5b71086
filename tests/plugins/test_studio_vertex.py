"""A target at Vertex AI, against the loopback of tests/rigs/vertex and real servers behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, Silent, TargetSpec, validate
from studio.api.testing_platforms import Example, check_platform
from studio_vertex.options import DEPLOY_OPTIONS
from studio_vertex.platform import VertexPlatform
from studio_vertex.site import VertexSite
from tests.rigs.kubernetes.parcels import make_parcel, request
from tests.rigs.vertex import FakeVertex
from tests.rigs.vertex.fake import ACCOUNT, PROJECT, REGION

IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/models/team/cnn"


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Parcel, Parcel]:
    folder = tmp_path_factory.mktemp("parcels")
    return make_parcel(folder, 1), make_parcel(folder, 2)


@pytest.fixture
def cloud(
    tmp_path: Path, parcels: tuple[Parcel, Parcel], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeVertex]:
    images = {f"{IMAGE}:{parcel.version}": parcel.bundle for parcel in parcels}
    with FakeVertex(tmp_path, images, parcels[0].runtime) as fake:
        key = fake.credentials(tmp_path / "key.json")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
        yield fake


def target(fake: FakeVertex, **settings: str) -> TargetSpec:
    given = {"project": PROJECT, "api_endpoint": fake.url, "poll_s": "0.01", **settings}
    return TargetSpec("cloud", f"vertex://{REGION}/cnn", settings=given)


def options(canary: int = 0, **given: Any) -> dict[str, Any]:
    values = {"image": IMAGE + ":{version}", **given}
    return {**validate(DEPLOY_OPTIONS, values), "canary": canary}


@pytest.fixture
def site(cloud: FakeVertex) -> Iterator[VertexSite]:
    opened = VertexPlatform().open(target(cloud), Silent())
    yield opened
    opened.close()


@pytest.mark.slow
def test_the_life_of_a_target(cloud: FakeVertex, parcels: tuple[Parcel, Parcel]) -> None:
    example = Example(*parcels, request(), {"image": IMAGE + ":{version}"})
    check_platform(VertexPlatform(), target(cloud), example)
    assert not cloud.endpoints
    assert not cloud.models


def test_identity(site: VertexSite) -> None:
    identity = site.identity()
    assert identity.who == ACCOUNT
    assert identity.where == f"project {PROJECT}, {REGION}"
    json.dumps(dict(identity.facts))
