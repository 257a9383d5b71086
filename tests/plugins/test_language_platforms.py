"""What SageMaker, Vertex AI and Azure ML plan for a language model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, Preview, Silent, TargetError, validate
from studio.features.language.chat.served_chat import chat_served
from studio.features.language.chat.step import ChatServedOptions
from studio_azureml.options import DEPLOY_OPTIONS as AZURE_OPTIONS
from studio_azureml.platform import AzureMlPlatform
from studio_vertex.options import DEPLOY_OPTIONS as VERTEX_OPTIONS
from studio_vertex.platform import VertexPlatform
from tests.plugins import test_studio_azureml as azure
from tests.plugins import test_studio_vertex as vertex
from tests.rigs.azureml import FakeAzure
from tests.rigs.bundles import QuietJob
from tests.rigs.kubernetes.parcels import make_parcel
from tests.rigs.sagemaker.aws import FakeAws
from tests.rigs.sagemaker.sites import aws as aws  # a fixture
from tests.rigs.sagemaker.sites import open_site, target
from tests.rigs.sagemaker.sites import options as sagemaker_options
from tests.rigs.vertex import FakeVertex

pytestmark = pytest.mark.slow

SETTINGS = {"context": 4096, "slots": 4, "cache": "f16"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    return make_parcel(tmp_path_factory.mktemp("parcels"), 1)


@pytest.fixture
def speaker(plain: Parcel) -> Parcel:
    """A parcel that says that its model generates text; the platforms read no more of it."""
    manifest = {**plain.manifest, "generation": SETTINGS}
    return replace(plain, manifest=manifest, memory_mb=3000)


def row(preview: Preview, name: str) -> Any:
    return next((one for one in preview.actions if one.name == name), None)


@pytest.fixture
def cloud(tmp_path: Path, plain: Parcel, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeVertex]:
    with FakeVertex(tmp_path, {f"{vertex.IMAGE}:1": plain.bundle}, plain.runtime) as fake:
        key = fake.credentials(tmp_path / "key.json")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
        yield fake


def test_vertex_names_its_ways_to_ask(cloud: FakeVertex, plain: Parcel, speaker: Parcel) -> None:
    site = VertexPlatform().open(vertex.target(cloud), Silent())
    options = {**validate(VERTEX_OPTIONS, {"image": f"{vertex.IMAGE}:1"}), "canary": 0}
    assert "streamRawPredict" in row(site.preview(speaker, options), "language").text
    assert row(site.preview(plain, options), "language") is None
    site.close()


@pytest.fixture
def azure_cloud(
    tmp_path: Path, plain: Parcel, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeAzure]:
    with FakeAzure(tmp_path, {f"{azure.IMAGE}:1": plain.bundle}, plain.runtime) as fake:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{fake.url}/identity")
        monkeypatch.setenv("IDENTITY_HEADER", "secret")
        yield fake


def test_azure_gives_answers_time(azure_cloud: FakeAzure, plain: Parcel, speaker: Parcel) -> None:
    """Its defaults are one request at a time and five seconds."""
    site = AzureMlPlatform().open(azure.target(azure_cloud), Silent())
    options = {**validate(AZURE_OPTIONS, {"image": f"{azure.IMAGE}:1"}), "canary": 0}
    assert "180 s" in row(site.preview(speaker, options), "language").text
    site.deploy(speaker, options, Silent())
    [limits] = _request_settings(azure_cloud)
    assert limits["requestTimeout"] == "PT180S"
    assert limits["maxConcurrentRequestsPerInstance"] == 4 + 16
    site.close()


def test_azure_leaves_other_models_as_they_were(azure_cloud: FakeAzure, plain: Parcel) -> None:
    site = AzureMlPlatform().open(azure.target(azure_cloud), Silent())
    options = {**validate(AZURE_OPTIONS, {"image": f"{azure.IMAGE}:1"}), "canary": 0}
    assert row(site.preview(plain, options), "language") is None
    site.deploy(plain, options, Silent())
    assert _request_settings(azure_cloud) == [None]
    site.close()


def _request_settings(fake: FakeAzure) -> list[Any]:
    found = {path: one for path, one in fake.resources.items() if "/deployments/" in path}
    return [one["properties"].get("requestSettings") for one in found.values()]


@pytest.mark.parametrize(
    ("given", "state", "words"),
    [
        ({}, "checked", "InvokeEndpointWithResponseStream"),
        ({"mode": "async"}, "warning", "no streams"),
    ],
)
def test_sagemaker_names_its_ways_to_ask(
    aws: FakeAws, speaker: Parcel, given: dict[str, Any], state: str, words: str
) -> None:
    site = open_site()
    found = row(site.preview(speaker, sagemaker_options(**given)), "language")
    assert found.state == state
    assert words in found.text
    site.close()


def test_sagemaker_refuses_a_serverless_endpoint_that_is_too_small(
    aws: FakeAws, speaker: Parcel
) -> None:
    site = open_site()
    small = row(site.preview(speaker, sagemaker_options(mode="serverless")), "memory")
    assert small.state == "blocked"
    assert "3,000 MB" in small.text
    large = sagemaker_options(mode="serverless", memory_mb="4096")
    assert row(site.preview(speaker, large), "memory") is None
    site.close()


def test_a_chat_names_who_can_ask(aws: FakeAws, tmp_path: Path) -> None:
    options = ChatServedOptions(target=target(), prompt="Hello")
    with pytest.raises(TargetError, match="reached directly") as raised:
        chat_served(options, QuietJob(tmp_path))
    assert "client" in raised.value.hint
