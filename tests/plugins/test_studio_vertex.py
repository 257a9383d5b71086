"""A target at Vertex AI, against the loopback of tests/rigs/vertex and real servers behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import (
    Cancelled,
    Parcel,
    Refused,
    Silent,
    TargetError,
    TargetSpec,
    UsageError,
    validate,
)
from studio.api.testing_platforms import Example, check_platform
from studio_vertex.options import DEPLOY_OPTIONS
from studio_vertex.platform import VertexPlatform
from studio_vertex.prices import cost_per_hour
from studio_vertex.site import VertexSite
from tests.rigs.kubernetes.parcels import make_parcel, request
from tests.rigs.vertex import FakeVertex
from tests.rigs.vertex.fake import ACCOUNT, PROJECT, REGION
from tests.rigs.vertex.operations import Refusal

pytestmark = pytest.mark.slow

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


class Closed(Silent):
    """A studio that is closed while a text is shown."""

    def __init__(self, text: str) -> None:
        self._text, self._now = text, False

    def progress(self, done: float, total: float, text: str = "") -> None:
        self._now = self._text in text

    def check(self) -> None:
        if self._now:
            raise Cancelled


def test_a_deploy_goes_on_after_the_studio_was_closed(
    site: VertexSite, cloud: FakeVertex, parcels: tuple[Parcel, Parcel]
) -> None:
    cloud.operations.steps = 3
    for text in ("Making the endpoint", "Deploying version 1"):
        with pytest.raises(Cancelled):
            site.deploy(parcels[0], options(), Closed(text))
        assert site.resources(), "what was begun is listed"
    assert site.deploy(parcels[0], options(), Silent()).state == "serving"
    assert len(cloud.endpoints["cnn"]["deployedModels"]) == 1
    deploys = [one for one in cloud.asked if one.path.endswith(":deployModel")]
    assert len(deploys) == 1, "it was asked for once"
    assert not site.remove(True, Silent())


def test_a_release_that_fails_leaves_the_one_before(
    site: VertexSite, cloud: FakeVertex, parcels: tuple[Parcel, Parcel]
) -> None:
    site.deploy(parcels[0], options(), Silent())
    error = {"code": 8, "message": "Quota of custom_model_serving_cpus is exceeded"}
    cloud.operations.fail["deployModel"] = [error]
    with pytest.raises(TargetError, match="a quota of the project is used up"):
        site.deploy(parcels[1], options(), Silent())
    states = {one.version: (one.state, one.traffic) for one in site.releases()}
    assert states == {1: ("serving", 100), 2: ("failed", 0)}
    assert json.loads(site.infer(request(), 0)[0])["outputs"]


def test_throttled_and_forbidden(site: VertexSite, cloud: FakeVertex) -> None:
    slow = Refusal(429, "RESOURCE_EXHAUSTED", "Too many, per minute.", {"Retry-After": "0"})
    cloud.fail["aiplatform.projects.locations.endpoints.get"] = [slow, slow]
    assert site.releases() == []
    denied = Refusal(403, "PERMISSION_DENIED", "Permission denied.")
    cloud.fail["aiplatform.projects.locations.endpoints.get"] = [denied]
    with pytest.raises(TargetError, match="the credentials do not allow it"):
        site.releases()


def test_credentials_that_expired(cloud: FakeVertex) -> None:
    cloud.token_error = {"error": "invalid_grant", "error_description": "Token has been revoked."}
    with pytest.raises(TargetError, match="does not accept the credentials") as caught:
        VertexPlatform().open(target(cloud), Silent())
    assert "gcloud auth application-default login" in caught.value.hint


def test_what_stands_in_the_way(
    site: VertexSite, cloud: FakeVertex, parcels: tuple[Parcel, Parcel]
) -> None:
    preview = site.preview(parcels[0], options())
    assert (preview.cost_per_hour, preview.currency) == (0.109, "USD")
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"image": ""}, "Missing image"),
        ({"image": IMAGE + ":none"}, "is not in the registry"),
        ({"accelerator": "l4"}, "NVIDIA_L4 does not go with n1-standard-2"),
    )
    for given, sentence in cases:
        with pytest.raises(Refused, match=sentence):
            site.deploy(parcels[0], options(0, **given), Silent())
    assert not cloud.endpoints


def test_an_endpoint_of_others_is_left_alone(site: VertexSite, cloud: FakeVertex) -> None:
    cloud.endpoints["cnn"] = {"name": "projects/1/locations/us-central1/endpoints/cnn"}
    with pytest.raises(TargetError, match="was not made by the studio"):
        site.remove(True, Silent())
    assert cloud.endpoints


@pytest.mark.parametrize("url", ["vertex://us-central1/Digits_1", "vertex://us/cnn", "vertex:x"])
def test_names_that_google_forbids(cloud: FakeVertex, url: str) -> None:
    with pytest.raises(UsageError):
        VertexPlatform().open(TargetSpec("c", url, settings={"project": PROJECT}), Silent())
    assert not cloud.asked


def test_tokens_go_to_encrypted_addresses_only(cloud: FakeVertex) -> None:
    with pytest.raises(UsageError, match="must begin with https"):
        VertexPlatform().open(target(cloud, api_endpoint="http://example.org"), Silent())
    assert not cloud.asked


def test_a_price_that_is_not_known_is_not_made_up() -> None:
    spec = {"machineSpec": {"machineType": "n9-huge"}}
    assert cost_per_hour(spec, REGION)[0] is None
    spec = {"machineSpec": {"machineType": "n1-standard-2"}}
    assert cost_per_hour(spec, "europe-west4")[0] is None
