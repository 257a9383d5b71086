"""What goes wrong with a target in a cluster, against the fake API server."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from studio.api import (
    Cancelled,
    Parcel,
    Refused,
    Silent,
    StudioError,
    TargetError,
    TargetSpec,
    Unavailable,
    UsageError,
)
from studio_kubernetes.platform import KubernetesPlatform
from studio_kubernetes.site import KubernetesSite
from tests.rigs.kubernetes import FakeCluster
from tests.rigs.kubernetes.parcels import IMAGE
from tests.rigs.kubernetes.sites import NAME, AtPoint, options, target
from tests.rigs.kubernetes.sites import cluster as cluster
from tests.rigs.kubernetes.sites import parcels as parcels
from tests.rigs.kubernetes.sites import site as site

pytestmark = pytest.mark.slow


def test_an_image_that_cannot_be_pulled(
    site: KubernetesSite, parcels: tuple[Parcel, Parcel]
) -> None:
    site.deploy(parcels[0], options(), Silent())
    with pytest.raises(TargetError) as caught:
        site.deploy(parcels[1], options(image="registry.example/none:{version}"), Silent())
    assert "Version 2 of cnn did not become ready: the image cannot be pulled" in str(caught.value)
    assert caught.value.hint == "Version 1 serves on."
    releases = {one.version: one for one in site.releases()}
    assert (releases[1].state, releases[1].traffic) == ("serving", 100)
    assert releases[2].state == "failed"
    assert "cannot be pulled" in releases[2].reason
    with site.reach() or pytest.fail("nothing serves") as tunnel:
        assert tunnel.port


def test_a_first_release_that_fails_leaves_nothing_that_runs(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    cluster.controller.broken[f"{IMAGE}:1"] = "CrashLoopBackOff"
    with pytest.raises(TargetError, match="the server ends again and again"):
        site.deploy(parcels[0], options(), Silent())
    assert not [one for one in site.resources() if one.running and one.kind != "Pod"]


def test_no_room_on_any_node(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    cluster.controller.broken[f"{IMAGE}:1"] = "unschedulable"
    with pytest.raises(TargetError, match=r"no node takes the pod \(0/1 nodes are available"):
        site.deploy(parcels[0], options(timeout_s=5), Silent())


def test_a_quota_of_pods_stops_a_rollout(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    cluster.controller.pod_quota = 1
    with pytest.raises(TargetError, match=r"quota does not allow it .*used: pods=1, limited"):
        site.deploy(parcels[0], options(replicas=2), Silent())


def test_a_quota_of_objects_blocks_before_anything_is_made(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    cluster.object_quota["services"] = 0
    with pytest.raises(Refused, match="The quota 'small' of the namespace does not allow Service"):
        site.deploy(parcels[0], options(), Silent())
    assert site.resources() == []


def test_the_image_holds_another_release(
    site: KubernetesSite, parcels: tuple[Parcel, Parcel]
) -> None:
    site.deploy(parcels[0], options(), Silent())
    with pytest.raises(TargetError, match=f"holds release {parcels[0].digest[:12]}, not"):
        site.deploy(parcels[1], options(image=f"{IMAGE}:1"), Silent())


def test_a_field_that_somebody_else_set(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    site.deploy(parcels[0], options(), Silent())
    site._cluster.api.set_default_header("User-Agent", "kubectl")
    live = cluster.store.get(("deployments", "default", NAME))
    assert live is not None
    live["spec"]["replicas"] = 2
    from tests.rigs.kubernetes import fields

    old = cluster.store.get(("deployments", "default", NAME))
    assert old is not None
    cluster.store.put(("deployments", "default", NAME), fields.written(old, live, "kubectl-edit"))
    with pytest.raises(Refused) as caught:
        site.deploy(parcels[1], options(), Silent())
    assert caught.value.message == (
        "Deployment cnn has fields that something else set: "
        "spec.replicas is owned by 'kubectl-edit'."
    )
    assert "force=yes" in caught.value.hint
    done = site.deploy(parcels[1], options(force=True), Silent())
    assert done.release == parcels[1].digest


def test_objects_of_others_are_left_alone(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    stranger = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": {}}
    cluster.store.put(("services", "default", NAME), stranger)
    with pytest.raises(Refused, match="Service cnn exists already in default and does not belong"):
        site.deploy(parcels[0], options(), Silent())
    assert site.remove(True, Silent()) == []
    assert cluster.store.get(("services", "default", NAME)) is not None


def test_who_may_only_read(
    cluster: FakeCluster, tmp_path: Path, parcels: tuple[Parcel, Parcel]
) -> None:
    spec = target(cluster, tmp_path, f"kubernetes://viewer/default/{NAME}")
    site = KubernetesPlatform().open(spec, Silent())
    with pytest.raises(Refused, match="'viewer' may not patch networkpolicies in namespace"):
        site.deploy(parcels[0], options(), Silent())
    site.close()


def test_a_namespace_that_does_not_exist(
    cluster: FakeCluster, tmp_path: Path, parcels: tuple[Parcel, Parcel]
) -> None:
    site = KubernetesPlatform().open(
        target(cluster, tmp_path, f"kubernetes:///nowhere/{NAME}"), Silent()
    )
    with pytest.raises(Refused, match="There is no namespace 'nowhere'"):
        site.deploy(parcels[0], options(), Silent())
    site.close()


def test_what_the_cluster_lacks(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    cluster.lacks.add("httproutes")
    with pytest.raises(Refused, match="no Gateway API"):
        site.deploy(parcels[0], options(gateway="main"), Silent())
    with pytest.raises(Refused, match="KServe"):
        site.deploy(parcels[0], options(kind="inferenceservice"), Silent())
    scaled = options(max_replicas=4, scale_on="requests")
    warnings = [one for one in site.preview(parcels[0], scaled).actions if one.state == "warning"]
    assert "custom metrics" in warnings[0].text


def test_credentials_that_have_expired(cluster: FakeCluster, tmp_path: Path) -> None:
    spec = target(cluster, tmp_path, f"kubernetes://expired/default/{NAME}")
    with pytest.raises(TargetError, match="does not accept the credentials") as caught:
        KubernetesPlatform().open(spec, Silent())
    assert "Log in" in caught.value.hint


def test_a_cluster_that_hangs(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.hangs.set()
    with pytest.raises(TargetError, match="did not answer within 2 s"):
        KubernetesPlatform().open(target(cluster, tmp_path), Silent())


def test_a_cluster_that_is_not_there(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.stop_listening()
    with pytest.raises(TargetError, match="is not reachable"):
        KubernetesPlatform().open(target(cluster, tmp_path), Silent())


def test_a_server_that_restarts_in_the_middle(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    def restart() -> None:
        cluster.stop_listening()
        threading.Timer(1.5, cluster.listen).start()

    done = site.deploy(parcels[0], options(), AtPoint("replicas ready", restart))
    assert done.state == "serving"


def test_cancelled_in_the_middle(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    site.deploy(parcels[0], options(), Silent())
    cluster.controller.broken[f"{IMAGE}:2"] = "slow"

    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        site.deploy(parcels[1], options(), AtPoint("replicas ready", cancel))
    serving = [one.version for one in site.releases() if one.state == "serving"]
    assert serving == [1]


def test_the_studio_ends_in_the_middle(
    site: KubernetesSite, cluster: FakeCluster, tmp_path: Path, parcels: tuple[Parcel, Parcel]
) -> None:
    class Killed(BaseException):
        """As sudden as SIGKILL: nothing is tidied up."""

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        site.deploy(parcels[0], options(), AtPoint("Applying Deployment", die))
    another = KubernetesPlatform().open(target(cluster, tmp_path), Silent())
    there = {key[0] for key in cluster.store._objects} - {"pods"}
    listed = {one.kind for one in another.resources()}
    assert there == {"networkpolicies", "poddisruptionbudgets", "services", "configmaps"}
    assert listed == {"NetworkPolicy", "PodDisruptionBudget", "Service", "ConfigMap"}
    assert another.deploy(parcels[0], options(), Silent()).state == "serving"
    another.close()


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("kubernetes://a/b", "not the address"),
        ("kubernetes:a/b/c", "not the address"),
        ("kubernetes://a/B/c", "A namespace cannot be named"),
        ("kubernetes://a/b/My_Model", "does not allow the name 'My_Model'"),
        ("kubernetes://a/b/" + "x" * 41, "does not allow the name"),
    ],
)
def test_addresses_that_are_none(url: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        KubernetesPlatform().open(TargetSpec("web", url), Silent())


def test_no_kubeconfig(tmp_path: Path) -> None:
    settings = {"kubeconfig": str(tmp_path / "none")}
    with pytest.raises(Unavailable, match="There is no kubeconfig at"):
        KubernetesPlatform().open(
            TargetSpec("web", "kubernetes:///a/b", settings=settings), Silent()
        )


def test_a_context_that_does_not_exist(cluster: FakeCluster, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no context 'prod'") as caught:
        KubernetesPlatform().open(target(cluster, tmp_path, "kubernetes://prod/a/b"), Silent())
    assert caught.value.hint == "It has admin, expired, viewer."


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"apiVersion: v1\nkind: Config\n"])
def test_a_kubeconfig_that_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(content)
    spec = TargetSpec("web", "kubernetes:///a/b", settings={"kubeconfig": str(path)})
    with pytest.raises(StudioError) as caught:
        KubernetesPlatform().open(spec, Silent())
    assert caught.value.message.startswith("The kubeconfig")


def test_no_image(site: KubernetesSite, parcels: tuple[Parcel, Parcel]) -> None:
    with pytest.raises(Refused, match="Missing image for the cluster") as caught:
        site.deploy(parcels[0], options(image=""), Silent())
    assert "configmap" in caught.value.hint


def test_a_server_that_hangs_in_the_middle(
    site: KubernetesSite,
    cluster: FakeCluster,
    parcels: tuple[Parcel, Parcel],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("studio_kubernetes.rollout.watcher._SILENCE_S", 1.0)
    site.deploy(parcels[0], options(), Silent())
    with pytest.raises(TargetError, match="did not answer within 2 s") as caught:
        site.deploy(parcels[1], options(), AtPoint("replicas ready", cluster.hangs.set))
    assert "is still in the cluster" in caught.value.hint
    cluster.hangs.clear()
    assert "Deployment" in {one.kind for one in site.resources()}
    assert site.deploy(parcels[1], options(), Silent()).release == parcels[1].digest


def test_no_request_is_led_to_a_canary_that_is_not_ready(
    site: KubernetesSite, cluster: FakeCluster, parcels: tuple[Parcel, Parcel]
) -> None:
    def backends() -> list[str]:
        route = cluster.store.get(("httproutes", "default", NAME))
        assert route is not None
        return [one["name"] for one in route["spec"]["rules"][0]["backendRefs"]]

    site.deploy(parcels[0], options(gateway="main"), Silent())
    cluster.controller.broken[f"{IMAGE}:2"] = "slow"
    seen: list[list[str]] = []

    def look() -> None:
        seen.append(backends())
        cluster.controller.broken.clear()

    waiting = AtPoint("cnn-canary: 0 of 1 replicas ready", look)
    site.deploy(parcels[1], options(20, gateway="main"), waiting)
    assert seen == [["cnn"]]
    assert backends() == ["cnn", "cnn-canary"]


def test_another_target_has_the_name_of_the_canary(
    site: KubernetesSite, cluster: FakeCluster, tmp_path: Path, parcels: tuple[Parcel, Parcel]
) -> None:
    spec = target(cluster, tmp_path, f"kubernetes:///default/{NAME}-canary")
    other = KubernetesPlatform().open(spec, Silent())
    other.deploy(parcels[1], options(), Silent())
    site.deploy(parcels[0], options(), Silent())
    assert [one.state for one in site.releases()] == ["serving"]
    with pytest.raises(Refused, match="Deployment cnn-canary exists already"):
        site.deploy(parcels[1], options(20), Silent())
    site.remove(True, Silent())
    assert [one.state for one in other.releases()] == ["serving"]
    other.close()
