"""Fixtures of the tests of a target in a cluster: parcels, a cluster, a site in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, Silent, TargetSpec, validate
from studio.api.testing import Recorder
from studio_kubernetes.options import DEPLOY_OPTIONS
from studio_kubernetes.platform import KubernetesPlatform
from studio_kubernetes.site import KubernetesSite
from tests.rigs.kubernetes import FakeCluster, kubeconfig
from tests.rigs.kubernetes.parcels import IMAGE, images, make_parcel

NAME = "cnn"


@pytest.fixture(scope="module")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Parcel, Parcel]:
    folder = tmp_path_factory.mktemp("parcels")
    return make_parcel(folder, 1), make_parcel(folder, 2)


@pytest.fixture
def cluster(tmp_path: Path, parcels: tuple[Parcel, Parcel]) -> Iterator[FakeCluster]:
    with FakeCluster(tmp_path, images(*parcels), parcels[0].runtime) as fake:
        yield fake


def target(fake: FakeCluster, folder: Path, url: str = f"kubernetes:///default/{NAME}") -> Any:
    path = kubeconfig(folder / "kubeconfig", fake.url)
    return TargetSpec("web", url, settings={"kubeconfig": str(path), "patience_s": "2"})


@pytest.fixture
def site(cluster: FakeCluster, tmp_path: Path) -> Iterator[KubernetesSite]:
    opened = KubernetesPlatform().open(target(cluster, tmp_path), Silent())
    yield opened
    opened.close()


def options(canary: int = 0, **given: Any) -> dict[str, Any]:
    values = {"image": IMAGE + ":{version}", "timeout_s": 30, **given}
    return {**validate(DEPLOY_OPTIONS, values), "canary": canary}


class AtPoint(Recorder):
    """Does something once, when the progress says a text."""

    def __init__(self, text: str, action: Any) -> None:
        super().__init__()
        self._text, self._action = text, action

    def progress(self, done: float, total: float, text: str = "") -> None:
        if self._text in text and self._action is not None:
            action, self._action = self._action, None
            action()
        super().progress(done, total, text)
