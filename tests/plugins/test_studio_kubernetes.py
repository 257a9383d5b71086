"""A target in a cluster, against the fake API server of tests/rigs/kubernetes."""

from __future__ import annotations

import http.client
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, Refused, Silent, TargetError
from studio.api.testing_platforms import Example, check_platform
from studio_kubernetes.platform import KubernetesPlatform
from studio_kubernetes.site import KubernetesSite
from tests.rigs.kubernetes import FakeCluster
from tests.rigs.kubernetes.parcels import IMAGE, request
from tests.rigs.kubernetes.sites import NAME, options, target
from tests.rigs.kubernetes.sites import cluster as cluster
from tests.rigs.kubernetes.sites import parcels as parcels
from tests.rigs.kubernetes.sites import site as site

pytestmark = pytest.mark.slow


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
    other = site.preview(parcels[1], options(20, gateway="main")).actions
    assert any(one.name == "gateway" and one.state == "warning" for one in other)
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
    from studio_kubernetes.manifests.workload import workload_of

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
    assert "admin-token" not in str(cluster.store._objects)


def test_an_autoscaler_takes_the_replicas_over_as_they_are(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    def replicas() -> int:
        live = cluster.store.get(("deployments", "default", NAME))
        assert live is not None
        return int(live["spec"]["replicas"])

    site.deploy(parcels[0], options(replicas=3), Silent())
    scaled = options(replicas=2, max_replicas=6)
    site.deploy(parcels[0], scaled, Silent())
    assert replicas() == 3, "not one, which is what a field falls back to that nobody sets"
    assert {one.kind for one in site.resources()} >= {"HorizontalPodAutoscaler"}
    site.deploy(parcels[0], options(replicas=2), Silent())
    assert replicas() == 2
    assert "HorizontalPodAutoscaler" not in {one.kind for one in site.resources()}


@pytest.mark.parametrize("broken", [False, True], ids=["good", "failing"])
def test_a_canary_is_judged_by_what_the_servers_count(
    site: KubernetesSite,
    cluster: FakeCluster,
    parcels: tuple[Parcel, Parcel],
    monkeypatch: pytest.MonkeyPatch,
    broken: bool,
) -> None:
    """Real requests to real servers; where the canary is to fail, its errors are made up."""
    monkeypatch.setattr("studio_kubernetes.rollout.canary_analysis._PAUSE_S", 0.05)
    site.deploy(parcels[0], options(gateway="main"), Silent())
    counters = site._pods.counters

    def counted(track: str) -> Any:
        with site._pods.tunnel(track) or pytest.fail(f"no pod of {track}") as tunnel:
            for _ in range(60):
                ask_for_answer(tunnel.port)
        found = counters(track)
        if broken and track == "canary":
            found = [replace(one, errors=one.requests // 2) for one in found]
        return found

    monkeypatch.setattr(site._pods, "counters", counted)
    if broken:
        with pytest.raises(TargetError, match="The canary, version 2, was taken back") as caught:
            site.deploy(parcels[1], options(20, gateway="main", judge_s=60), Silent())
        assert "of its requests fail" in caught.value.hint
        states = {one.version: one.state for one in site.releases()}
        assert states == {1: "serving", 2: "failed"}
    else:
        # Latencies of a busy machine are not what is tested here.
        monkeypatch.setattr("studio_kubernetes.rollout.canary.latency_ratio", lambda *_: 1.0)
        done = site.deploy(parcels[1], options(20, gateway="main", judge_s=60), Silent())
        assert (done.state, done.release) == ("serving", parcels[1].digest)


def ask_for_answer(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", f"/v2/models/{NAME}/infer", request())
    assert connection.getresponse().read()
    connection.close()


def test_an_open_door_is_warned_of(site: KubernetesSite, parcels: tuple[Parcel, Parcel]) -> None:
    def warnings(**given: Any) -> list[str]:
        actions = site.preview(parcels[0], options(**given)).actions
        return [one.text for one in actions if one.name == "access"]

    assert warnings() == []
    assert "no token is asked for" in warnings(service="LoadBalancer")[0]
    assert warnings(service="LoadBalancer", token_secret="digits-token") == []


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ('echo \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", '
         '"status": {"token": "admin-token"}}\'', ""),
        ("echo no; exit 1", "does not accept the credentials"),
        ("echo not json", "does not accept the credentials"),
    ],
    ids=["works", "fails", "garbage"],
)  # fmt: skip
def test_a_program_of_the_kubeconfig_gives_the_credentials(
    cluster: FakeCluster, tmp_path: Path, program: str, sentence: str
) -> None:
    spec = target(cluster, tmp_path, f"kubernetes://by%2Fprogram/default/{NAME}")
    path = Path(spec.settings["kubeconfig"])
    content = json.loads(path.read_text())
    run = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh",
        "args": ["-c", program],
        "interactiveMode": "Never",
    }
    content["users"].append({"name": "program", "user": {"exec": run}})
    context = {"cluster": "lab", "user": "program"}
    content["contexts"].append({"name": "by/program", "context": context})
    path.write_text(json.dumps(content))
    if sentence:
        with pytest.raises(TargetError, match=sentence):
            KubernetesPlatform().open(spec, Silent())
        return
    site = KubernetesPlatform().open(spec, Silent())
    assert site.identity().who == "admin"
    assert site.identity().facts["context"] == "by/program"
    site.close()
