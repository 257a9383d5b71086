"""A target at Azure ML, against the loopback of tests/rigs/azureml and real servers behind it."""

from __future__ import annotations

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
from studio_azureml.options import DEPLOY_OPTIONS
from studio_azureml.platform import AzureMlPlatform
from studio_azureml.site import AzureMlSite
from tests.rigs.azureml import FakeAzure
from tests.rigs.azureml.fake import GROUP, SUBSCRIPTION, WHO, WORKSPACE, Refusal
from tests.rigs.kubernetes.parcels import make_parcel, request

pytestmark = pytest.mark.slow

IMAGE = "lab.azurecr.io/team/cnn"


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Parcel, Parcel]:
    folder = tmp_path_factory.mktemp("parcels")
    return make_parcel(folder, 1), make_parcel(folder, 2)


@pytest.fixture
def cloud(
    tmp_path: Path, parcels: tuple[Parcel, Parcel], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeAzure]:
    images = {f"{IMAGE}:{parcel.version}": parcel.bundle for parcel in parcels}
    with FakeAzure(tmp_path, images, parcels[0].runtime) as fake:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{fake.url}/identity")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        yield fake


def target(fake: FakeAzure, url: str = f"azureml://{WORKSPACE}/cnn", **more: str) -> TargetSpec:
    given = {"subscription": SUBSCRIPTION, "resource_group": GROUP}
    return TargetSpec(
        "cloud", url, settings={**given, "management": fake.url, "poll_s": "0.01", **more}
    )


def options(canary: int = 0, **given: Any) -> dict[str, Any]:
    values = {"image": IMAGE + ":{version}", **given}
    return {**validate(DEPLOY_OPTIONS, values), "canary": canary}


@pytest.fixture
def site(cloud: FakeAzure) -> Iterator[AzureMlSite]:
    opened = AzureMlPlatform().open(target(cloud), Silent())
    yield opened
    opened.close()


def test_the_life_of_a_target(cloud: FakeAzure, parcels: tuple[Parcel, Parcel]) -> None:
    example = Example(*parcels, request(), {"image": IMAGE + ":{version}"})
    check_platform(AzureMlPlatform(), target(cloud), example)
    assert not cloud.resources


def test_identity(site: AzureMlSite) -> None:
    identity = site.identity()
    assert identity.who == WHO
    assert identity.where == f"workspace {WORKSPACE}, group {GROUP}, eastus"


def test_copies_of_requests_and_autoscaling(
    site: AzureMlSite, cloud: FakeAzure, parcels: tuple[Parcel, Parcel]
) -> None:
    site.deploy(parcels[0], options(auth="Key", max_instances=3), Silent())
    assert site.infer(request(), 0)[0]
    assert len(cloud.settings) == 1
    done = site.deploy(parcels[1], options(mirror=10), Silent())
    assert done.state == "canary"
    assert {one.version: one.traffic for one in site.releases()} == {1: 100, 2: 0}
    site.promote(Silent())
    assert not cloud.settings
    assert not [one for one in site.remove(True, Silent()) if one.removable]
    assert not cloud.resources


def test_what_fails_is_said_and_listed(
    site: AzureMlSite, cloud: FakeAzure, parcels: tuple[Parcel, Parcel]
) -> None:
    cloud.fail["PUT OnlineEndpoint"] = [Refusal(429, "TooManyRequests", "Slow down.", "0")]
    quota = {"code": "OutOfQuota", "message": "Not enough quota"}
    cloud.fail_later["PUT OnlineDeployment"] = [quota]
    with pytest.raises(TargetError, match="quota for such instances is used up") as caught:
        site.deploy(parcels[0], options(), Silent())
    assert "another instance type" in caught.value.hint
    assert [one.state for one in site.releases()] == ["failed"]
    assert {one.kind for one in site.resources()} == {"deployment", "endpoint", "environment"}
    cloud.expired = True
    with pytest.raises(TargetError, match="does not accept the credentials"):
        site.releases()
    cloud.expired = False
    assert not site.remove(True, Silent())


def test_what_stands_in_the_way(
    site: AzureMlSite, cloud: FakeAzure, parcels: tuple[Parcel, Parcel]
) -> None:
    preview = site.preview(parcels[0], options())
    assert (preview.cost_per_hour, preview.currency) == (0.293, "USD")
    with pytest.raises(Refused, match="Missing image"):
        site.deploy(parcels[0], options(image=""), Silent())
    with pytest.raises(Refused, match="nothing to share"):
        site.deploy(parcels[0], options(20), Silent())
    assert not cloud.resources


@pytest.mark.parametrize(
    ("url", "more"),
    [
        (f"azureml://{WORKSPACE}/Digits_1", {}),
        (f"azureml://{WORKSPACE}", {}),
        (f"azureml://{WORKSPACE}/cnn", {"subscription": "mine"}),
        (f"azureml://{WORKSPACE}/cnn", {"management": "http://example.org"}),
    ],
)
def test_names_that_azure_forbids(cloud: FakeAzure, url: str, more: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        AzureMlPlatform().open(target(cloud, url, **more), Silent())
    assert not cloud.asked


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
    site: AzureMlSite, cloud: FakeAzure, parcels: tuple[Parcel, Parcel]
) -> None:
    cloud.steps = 3
    for text in ("Making the endpoint", "Deploying version 1"):
        with pytest.raises(Cancelled):
            site.deploy(parcels[0], options(), Closed(text))
        assert site.resources(), "what was begun is listed"
        cloud.finish_all()
    assert site.deploy(parcels[0], options(), Silent()).state == "serving"
    made = [one for one in cloud.asked if one.method == "PUT" and "/deployments/" in one.path]
    assert len(made) == 1, "it was asked for once"
    assert not site.remove(True, Silent())


def test_an_endpoint_of_others_is_left_alone(site: AzureMlSite, cloud: FakeAzure) -> None:
    path = site._cloud.address.name
    cloud.resources[path] = {"location": "eastus", "properties": {"authMode": "Key"}}
    with pytest.raises(TargetError, match="was not made by the studio"):
        site.remove(True, Silent())
    assert path in cloud.resources
