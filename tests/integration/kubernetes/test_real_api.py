"""The plugin against Kubernetes' own API server, with the real kubectl beside it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import yaml

from studio.api import (
    Option,
    Parcel,
    Progress,
    Refused,
    Silent,
    TargetError,
    TargetSpec,
    Tunnel,
    validate,
)
from studio.api.testing_platforms import Example, check_platform
from studio_kubernetes.cluster.kinds import DEPLOYMENT
from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.workload import WorkloadName, workload_of
from studio_kubernetes.options import DEPLOY_OPTIONS
from studio_kubernetes.packager import OPTIONS, ManifestsPackager
from studio_kubernetes.platform import KubernetesPlatform
from studio_kubernetes.rollout.progress import is_ready
from studio_kubernetes.site import KubernetesSite
from tests.integration.kubernetes.conftest import Lab
from tests.rigs.kubernetes.parcels import IMAGE, request
from tests.rigs.kubernetes.sites import AtPoint, options

Parcels = tuple[Parcel, Parcel]
KINDS = (
    "deployments,services,configmaps,horizontalpodautoscalers,poddisruptionbudgets,"
    "networkpolicies,ingresses,pods,httproutes,inferenceservices,llminferenceservices"
)


class DirectTunnel:
    """The port of the rig's node, which has no kubelet that could forward one."""

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> DirectTunnel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is open."""


class DirectSite(KubernetesSite):
    """As the plugin has it, but for the way into a pod."""

    lab: Lab

    def reach(self) -> Tunnel | None:
        pods = [pod for pod in self._objects.pods("stable") if is_ready(pod)]
        server = self.lab.controller.node.of(pods[0]) if pods else None
        return DirectTunnel(server.port) if server else None


class DirectPlatform:
    """Opens such sites."""

    id, title, schemes = "kubernetes", "Kubernetes", ("kubernetes",)
    options: tuple[Option, ...] = KubernetesPlatform.options
    deploy_options: tuple[Option, ...] = DEPLOY_OPTIONS

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def open(self, target: TargetSpec, progress: Progress) -> KubernetesSite:
        site = KubernetesPlatform().open(target, progress)
        direct = DirectSite(site._cluster, site._place, site.identity())
        direct.lab = self._lab
        return direct


@pytest.mark.parametrize(
    "given",
    [
        {"gateway": "infra/main", "max_replicas": 3},
        {"replicas": 4},
        {"gateway": "main", "bundle": "configmap", "image": "registry.example/python:3.13"},
    ],
    ids=["gateway", "replicas", "configmap"],
)
def test_the_life_of_a_target(
    lab: Lab, namespace: str, parcels: Parcels, given: dict[str, Any]
) -> None:
    given = {"image": IMAGE + ":{version}", **given}
    example = Example(*parcels, request(), given)
    check_platform(DirectPlatform(lab), lab.target(namespace), example)
    left = lab.kubectl("-n", namespace, "get", KINDS, "-o", "name")
    assert left.strip() in ("", f"No resources found in {namespace} namespace.")


def test_kubectl_sees_what_was_deployed(
    lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels, tmp_path: Path
) -> None:
    site.deploy(parcels[0], options(), Silent())
    live = json.loads(
        lab.kubectl(
            "-n", namespace, "get", "deployments", "cnn", "-o", "json", "--show-managed-fields"
        )
    )
    assert live["metadata"]["annotations"]["edgewright/release-digest"] == parcels[0].digest
    managers = [entry["manager"] for entry in live["metadata"]["managedFields"]]
    assert managers[0] == "edgewright"
    preview = site.preview(parcels[0], options())
    for name, text in preview.documents.items():
        if name.endswith(".yaml"):
            (tmp_path / name).write_text(text)
    same = ("--server-side", "--field-manager=edgewright", "-f", str(tmp_path))
    assert lab.kubectl("-n", namespace, "diff", *same) == ""
    changed = site.preview(parcels[1], options()).documents["changes.diff"]
    assert "-          image: registry.example/models/cnn:1\n" in changed.replace(
        "  " * 2, "  " * 2
    )


def test_fields_that_kubectl_set(
    lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels
) -> None:
    site.deploy(parcels[0], options(), Silent())
    change = '{"spec": {"replicas": 2}}'
    lab.kubectl("-n", namespace, "patch", "deployments/cnn", "--type=merge", "-p", change)
    with pytest.raises(Refused) as caught:
        site.deploy(parcels[1], options(), Silent())
    assert "spec.replicas is owned by 'kubectl-patch'" in caught.value.message
    assert "force=yes" in caught.value.hint
    assert site.deploy(parcels[1], options(force=True), Silent()).release == parcels[1].digest
    text = lab.kubectl(
        "-n", namespace, "get", "deployments", "cnn", "-o", "jsonpath={.spec.replicas}"
    )
    assert text == "1"


def test_an_image_that_cannot_be_pulled(
    lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels
) -> None:
    site.deploy(parcels[0], options(), Silent())
    with pytest.raises(TargetError, match="the image cannot be pulled") as caught:
        site.deploy(parcels[1], options(image="registry.example/none:{version}"), Silent())
    assert caught.value.hint == "Version 1 serves on."
    image = "jsonpath={.spec.template.spec.containers[0].image}"
    assert lab.kubectl("-n", namespace, "get", "deployments", "cnn", "-o", image) == f"{IMAGE}:1"


def test_rights(lab: Lab, namespace: str, parcels: Parcels) -> None:
    site = KubernetesPlatform().open(lab.target(namespace, "viewer"), Silent())
    with pytest.raises(Refused, match="'viewer' may not patch networkpolicies in namespace"):
        site.deploy(parcels[0], options(), Silent())
    assert site.releases() == []
    site.close()


def test_expired_credentials(lab: Lab, namespace: str) -> None:
    with pytest.raises(TargetError, match="does not accept the credentials"):
        KubernetesPlatform().open(lab.target(namespace, "expired"), Silent())


def test_a_namespace_that_does_not_exist(lab: Lab, parcels: Parcels) -> None:
    site = KubernetesPlatform().open(lab.target("nowhere"), Silent())
    with pytest.raises(Refused, match="There is no namespace 'nowhere'"):
        site.deploy(parcels[0], options(), Silent())
    site.close()


def test_a_quota_of_objects(
    lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels
) -> None:
    hard = {"hard": {"count/deployments.apps": "0"}}
    lab.core.create_namespaced_resource_quota(
        namespace, {"metadata": {"name": "small"}, "spec": hard}
    )
    with pytest.raises(Refused, match="The quota 'small' of the namespace does not allow Deploym"):
        site.deploy(parcels[0], options(), Silent())
    assert site.resources() == []


def test_a_quota_of_cpu(lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels) -> None:
    hard = {"requests.cpu": "1"}
    body = {"metadata": {"name": "cpus"}, "spec": {"hard": hard}}
    lab.core.create_namespaced_resource_quota(namespace, body)
    status = {"status": {"hard": hard, "used": {"requests.cpu": "900m"}}}
    lab.core.patch_namespaced_resource_quota_status("cpus", namespace, status)
    with pytest.raises(Refused, match="limited to 1, 900m of it used"):
        site.deploy(parcels[0], options(), Silent())


def test_a_selector_cannot_be_changed(
    lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels
) -> None:
    labels = {"app.kubernetes.io/instance": "cnn", "app.kubernetes.io/managed-by": "edgewright"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "x", "image": "x"}]},
    }
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "cnn", "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    lab.kubectl("-n", namespace, "create", "-f", "-", text=json.dumps(body))
    with pytest.raises(Refused, match=r"spec\.selector: .*field is immutable"):
        site.deploy(parcels[0], options(force=True), Silent())


def test_a_watch_tells_of_a_change(
    lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels
) -> None:
    site.deploy(parcels[0], options(), Silent())
    time.sleep(1)  # until the controllers have nothing more to write
    seen = site._cluster.get(DEPLOYMENT, "cnn")
    assert seen is not None
    change = ("-n", namespace, "annotate", "deployments/cnn", "note=changed")
    began = time.monotonic()
    threading.Timer(1, lab.kubectl, change).start()
    site._cluster.wait_for_change(DEPLOYMENT, seen, 30)
    assert time.monotonic() - began < 25
    now = site._cluster.get(DEPLOYMENT, "cnn")
    assert now is not None
    assert now["metadata"]["annotations"]["note"] == "changed"


def test_scale(lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels) -> None:
    site.deploy(parcels[0], options(), Silent())
    site.scale(3)
    text = lab.kubectl(
        "-n", namespace, "get", "deployments", "cnn", "-o", "jsonpath={.spec.replicas}"
    )
    assert text == "3"
    # It is our own field: the next deploy sets it without asking.
    site.deploy(parcels[1], options(replicas=2), Silent())
    text = lab.kubectl(
        "-n", namespace, "get", "deployments", "cnn", "-o", "jsonpath={.spec.replicas}"
    )
    assert text == "2"


def test_a_server_that_hangs(lab: Lab, site: KubernetesSite) -> None:
    lab.server.hang()
    try:
        with pytest.raises(TargetError, match=r"did not answer within \d+ s"):
            site.releases()
    finally:
        lab.server.go_on()
    assert site.releases() == []


def test_a_server_that_restarts_in_the_middle(
    lab: Lab, site: KubernetesSite, parcels: Parcels
) -> None:
    def restart() -> None:
        lab.server.stop()
        threading.Timer(1, lab.server.start).start()

    done = site.deploy(parcels[0], options(timeout_s=120), AtPoint("replicas ready", restart))
    assert done.state == "serving"


def test_kserve(lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels) -> None:
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}

    def say_ready() -> None:
        lab.kubectl(
            "-n", namespace, "patch", "inferenceservices", "cnn", "--subresource=status",
            "--type=merge", "-p", json.dumps(ready),
        )  # fmt: skip

    given = options(kind="inferenceservice")
    done = site.deploy(parcels[0], given, AtPoint("KServe has not said", say_ready))
    assert done.state == "serving"
    canary = options(10, kind="inferenceservice")
    assert site.deploy(parcels[1], canary, Silent()).state == "canary"
    traffic = {one.version: (one.state, one.traffic) for one in site.releases()}
    assert traffic == {1: ("serving", 90), 2: ("canary", 10)}
    percent = "jsonpath={.spec.predictor.canaryTrafficPercent}"
    assert lab.kubectl("-n", namespace, "get", "inferenceservices", "cnn", "-o", percent) == "10"
    site.rollback(None, Silent())
    assert lab.kubectl("-n", namespace, "get", "inferenceservices", "cnn", "-o", percent) == ""
    site.remove(True, Silent())
    assert site.resources() == []


def test_kserve_with_a_language_model(
    lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels
) -> None:
    """The API server takes it and keeps it; what KServe does with it is not tested."""
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    of = ("-n", namespace, "get", "llminferenceservices", "cnn", "-o")

    def say_ready() -> None:
        lab.kubectl(
            "-n", namespace, "patch", "llminferenceservices", "cnn", "--subresource=status",
            "--type=merge", "-p", json.dumps(ready),
        )  # fmt: skip

    settings = {"context": 512, "slots": 2, "cache": "f16"}
    first, second = (
        replace(one, manifest={**one.manifest, "generation": settings}, memory_mb=300)
        for one in parcels
    )
    given = options(kind="llminferenceservice")
    done = site.deploy(first, given, AtPoint("KServe has not said", say_ready))
    assert done.state == "serving"
    assert done.endpoint == f"http://cnn-kserve-workload-svc.{namespace}:8000"
    spec = json.loads(lab.kubectl(*of, "jsonpath={.spec}"))
    assert spec["template"]["containers"][0]["resources"]["requests"]["memory"] == "287Mi"
    with pytest.raises(Refused, match="no canary"):
        site.deploy(second, options(10, kind="llminferenceservice"), Silent())
    site.deploy(second, given, Silent())
    assert [one.state for one in site.releases()] == ["serving", "replaced"]
    site.rollback(None, Silent())
    release = lab.kubectl(*of, "jsonpath={.metadata.labels}")
    assert first.digest[:12] in release
    site.remove(True, Silent())
    assert site.resources() == []


def test_an_autoscaler_takes_the_replicas_over_as_they_are(
    lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels
) -> None:
    site.deploy(parcels[0], options(replicas=3), Silent())
    site.deploy(parcels[0], options(replicas=2, max_replicas=6), Silent())
    replicas = ("get", "deployments", "cnn", "-o", "jsonpath={.spec.replicas}")
    assert lab.kubectl("-n", namespace, *replicas) == "3"
    assert "cnn" in lab.kubectl("-n", namespace, "get", "horizontalpodautoscalers", "-o", "name")


def test_kustomize_renders_what_a_deploy_applies(
    lab: Lab, parcels: Parcels, tmp_path: Path
) -> None:
    given = {"name": "cnn", "namespace": "prod", "form": "kustomize", "gateway": "main"}
    chosen = validate(OPTIONS, {"image": IMAGE + ":{version}", **given})
    ManifestsPackager().build(parcels[0], tmp_path, chosen, Silent())
    rendered = lab.kubectl("kustomize", str(tmp_path / "overlays" / "prod"))
    place = WorkloadName("cnn", "prod")
    wanted = manifests(DesiredWorkload(workload_of(parcels[0], chosen, place)))
    found = [one for one in yaml.safe_load_all(rendered) if one]
    assert sorted(found, key=_key) == sorted(wanted, key=_key)


def _key(one: dict[str, Any]) -> tuple[str, str]:
    return one["kind"], one["metadata"]["name"]
