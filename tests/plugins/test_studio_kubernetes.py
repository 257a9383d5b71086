"""A target in a cluster, against the fake API server of tests/rigs/kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.api import (
    Parcel,
    Refused,
    Silent,
)
from studio.api.testing_platforms import Example, check_platform
from studio_kubernetes.platform import KubernetesPlatform
from studio_kubernetes.site import KubernetesSite
from tests.rigs.kubernetes import FakeCluster
from tests.rigs.kubernetes.parcels import IMAGE, request
from tests.rigs.kubernetes.sites import NAME, options, target
from tests.rigs.kubernetes.sites import cluster as cluster
from tests.rigs.kubernetes.sites import parcels as parcels
from tests.rigs.kubernetes.sites import site as site


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        {"gateway": "infra/main"},
        {"replicas": 4},
        {"gateway": "main", "bundle": "configmap", "image": "registry.example/python:3.13"},
    ],
    ids=["gateway", "replicas", "configmap"],
)
def test_the_life_of_a_target(
    cluster: FakeCluster, tmp_path: Path, parcels: tuple[Parcel, Parcel], given: dict[str, Any]
) -> None:
    given = {"image": IMAGE + ":{version}", **given}
    example = Example(*parcels, request(), given)
    check_platform(KubernetesPlatform(), target(cluster, tmp_path), example)


def test_identity(site: KubernetesSite) -> None:
    identity = site.identity()
    assert identity.who == "admin"
    assert identity.where == "admin, namespace default"
    assert identity.facts["version"].startswith("v1.")


def test_a_preview_shows_manifests_and_what_changes(
    site: KubernetesSite, parcels: tuple[Parcel, Parcel]
) -> None:
    preview = site.preview(parcels[0], options())
    assert {"deployment.yaml", "service.yaml", "changes.diff"} <= preview.documents.keys()
    assert "+    app.kubernetes.io/version: '1'" in preview.documents["changes.diff"]
    site.deploy(parcels[0], options(), Silent())
    again = site.preview(parcels[0], options())
    assert {action.state for action in again.actions} == {"skipped"}
    assert again.documents["changes.diff"] == ""
    changed = site.preview(parcels[0], options(replicas=2)).documents["changes.diff"]
    assert "-  replicas: 1\n+  replicas: 2\n" in changed


def test_a_canary_of_nothing(site: KubernetesSite, parcels: tuple[Parcel, Parcel]) -> None:
    with pytest.raises(Refused, match="none serves here"):
        site.deploy(parcels[0], options(20), Silent())


def test_pods_in_proportion_are_said(site: KubernetesSite, parcels: tuple[Parcel, Parcel]) -> None:
    site.deploy(parcels[0], options(), Silent())
    notes = [one.text for one in site.preview(parcels[1], options(20)).actions]
    assert any("the canary gets about 50 %, not 20 %" in text for text in notes)


def test_scale_events_and_logs(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    site.deploy(parcels[0], options(), Silent())
    site.scale(2)
    live = cluster.store.get(("deployments", "default", NAME))
    assert live is not None
    assert live["spec"]["replicas"] == 2
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e1"},
        "involvedObject": {"kind": "Pod", "name": f"{NAME}-1"},
        "reason": "Pulled",
        "message": "Image is there",
    }
    cluster.store.put(("events", "default", "e1"), event)
    assert [line for line in site.events() if "Pulled Pod/cnn-1: Image is there" in line]
    lines = list(site.logs(50))
    assert any("endpoint" in line for line in lines), lines


def test_ten_releases_are_kept(site: KubernetesSite, parcels: tuple[Parcel, Parcel]) -> None:
    from dataclasses import replace

    from studio_kubernetes.workload import workload_of

    for number in range(12):
        parcel = replace(parcels[0], digest=f"{number:02x}".ljust(64, "0"))
        site._record.begin(workload_of(parcel, options(), site._place), "now")
    digests = [one.release for one in site.releases()]
    assert digests == [f"{number:02x}".ljust(64, "0") for number in range(11, 1, -1)]


def test_nothing_of_the_credentials_is_kept(
    cluster: FakeCluster, tmp_path: Path, parcels: tuple[Parcel, Parcel]
) -> None:
    spec = target(cluster, tmp_path)
    before = Path(spec.settings["kubeconfig"]).read_bytes()
    site = KubernetesPlatform().open(spec, Silent())
    site.deploy(parcels[0], options(), Silent())
    site.close()
    assert Path(spec.settings["kubeconfig"]).read_bytes() == before
    assert "token" not in str(cluster.store._objects)
