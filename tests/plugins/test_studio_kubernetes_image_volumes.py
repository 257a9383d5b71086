"""A target whose model comes in an image volume, against the fake API server."""

from __future__ import annotations

from typing import Any

import pytest

from studio.api import Parcel, Silent, TargetError
from studio_kubernetes.site import KubernetesSite
from tests.rigs.kubernetes import FakeCluster
from tests.rigs.kubernetes.sites import NAME, options
from tests.rigs.kubernetes.sites import cluster as cluster
from tests.rigs.kubernetes.sites import parcels as parcels
from tests.rigs.kubernetes.sites import site as site

pytestmark = pytest.mark.slow
Parcels = tuple[Parcel, Parcel]
PYTHON = "registry.example/python:3.13"


def reference(parcel: Parcel) -> str:
    """The image of a parcel's bundle by digest."""
    return f"registry.example/models/cnn@sha256:{parcel.digest}"


def volume(parcel: Parcel) -> dict[str, Any]:
    """The options of a deploy from an image volume."""
    return options(image=PYTHON, bundle="volume", model_image=reference(parcel))


@pytest.fixture
def known(cluster: FakeCluster, parcels: Parcels) -> None:
    """The registry of the cluster has the image of each parcel."""
    found = {reference(parcel): parcel.bundle for parcel in parcels}
    cluster.controller.node._images.update(found)


def mounted(cluster: FakeCluster) -> str:
    live = cluster.store.get(("deployments", "default", NAME))
    assert live is not None
    volumes = {one["name"]: one for one in live["spec"]["template"]["spec"]["volumes"]}
    return str(volumes["bundle"]["image"]["reference"])


@pytest.mark.usefixtures("known")
def test_two_versions_and_a_rollback(
    site: KubernetesSite, cluster: FakeCluster, parcels: Parcels
) -> None:
    for parcel in parcels:
        assert site.deploy(parcel, volume(parcel), Silent()).state == "serving"
        assert mounted(cluster) == reference(parcel)
    assert site.rollback(None, Silent()).release == parcels[0].digest
    assert mounted(cluster) == reference(parcels[0])
    site.remove(True, Silent())
    assert site.resources() == []


@pytest.mark.usefixtures("known")
def test_a_model_image_with_another_release(site: KubernetesSite, parcels: Parcels) -> None:
    site.deploy(parcels[0], volume(parcels[0]), Silent())
    name = reference(parcels[0])
    with pytest.raises(TargetError, match=f"{name} holds release {parcels[0].digest[:12]}, not"):
        site.deploy(parcels[1], volume(parcels[0]), Silent())
    assert [one.state for one in site.releases()] == ["failed", "serving"]


def test_a_model_image_that_cannot_be_pulled(site: KubernetesSite, parcels: Parcels) -> None:
    with pytest.raises(TargetError, match="the image cannot be pulled"):
        site.deploy(parcels[0], volume(parcels[0]), Silent())
