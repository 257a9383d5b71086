"""Fixtures of the tests of a SageMaker endpoint: parcels, AWS, a site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, Silent, TargetSpec, validate
from studio_sagemaker.options import DEPLOY_OPTIONS
from studio_sagemaker.platform import SageMakerPlatform
from studio_sagemaker.site import SageMakerSite
from tests.rigs.kubernetes.parcels import make_parcel
from tests.rigs.sagemaker.aws import IMAGE, REGION, ROLE, FakeAws

NAME = "cnn"


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Parcel, Parcel]:
    folder = tmp_path_factory.mktemp("parcels")
    return make_parcel(folder, 1), make_parcel(folder, 2)


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    with FakeAws(tmp_path / "containers") as fake:
        for name, text in fake.environment.items():
            monkeypatch.setenv(name, text)
        yield fake


def target(url: str = f"sagemaker://{REGION}/{NAME}", **settings: str) -> TargetSpec:
    return TargetSpec("cloud", url, settings={"poll_s": "0.01", **settings})


def open_site(**settings: str) -> SageMakerSite:
    return SageMakerPlatform().open(target(**settings), Silent())


@pytest.fixture
def site(aws: FakeAws) -> Iterator[SageMakerSite]:
    opened = open_site()
    yield opened
    opened.close()


def options(canary: int = 0, **given: Any) -> dict[str, Any]:
    values = {"image": IMAGE, "role": ROLE, **given}
    return {**validate(DEPLOY_OPTIONS, values), "canary": canary}
