"""Manifests: valid for every version of the schemas, and for what the schemas let pass."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import kubernetes_validate
import pytest
import yaml

from studio.api import StudioError, UsageError, validate
from studio_kubernetes.manifests.apps import check_app
from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.documents import difference, file_names, join, to_yaml
from studio_kubernetes.manifests.names import (
    as_label_value,
    is_label_value,
    is_service_name,
    suggest,
)
from studio_kubernetes.manifests.pods import node_selector, tolerations
from studio_kubernetes.manifests.quantities import parse_quantity
from studio_kubernetes.manifests.scaling import canary_replicas, share
from studio_kubernetes.manifests.validation import problems
from studio_kubernetes.manifests.workload import Json, Workload, WorkloadName, image_reference
from studio_kubernetes.options import DEPLOY_OPTIONS

VERSIONS = ("1.29", "1.31", "1.33", "1.35", "1.37")
FULL = {
    "replicas": 2,
    "max_replicas": 8,
    "scale_on": "requests",
    "cpu_limit": "2",
    "gpus": 1,
    "service": "LoadBalancer",
    "gateway": "infra/main",
    "ingress": "nginx",
    "hostname": "digits.example.com",
    "pull_secret": "registry",
    "node_selector": "pool=gpu,kubernetes.io/arch=arm64",
    "tolerations": "nvidia.com/gpu:NoSchedule,team=vision:NoExecute,spot",
    "clients": "all",
    "token_secret": "digits-token",
}


def workload(version: int = 3, **given: Any) -> Workload:
    options = validate(DEPLOY_OPTIONS, {"image": "registry.example/digits:{version}", **given})
    digest = f"{version:x}" * 64
    image = image_reference(options["image"], "digits", version, digest)
    place = WorkloadName("digits", "prod")
    return Workload(place, "Digits of Ann", version, digest, "ann@host", image, options)


def with_maps(one: Workload) -> Workload:
    return replace(one, maps=("digits-bundle-1", "digits-runtime-1"), files={"f0": "model.onnx"})


APP = {
    "app": True,
    "storage_class": "fast",
    "variables_secret": "gate",
    "app_egress": "192.0.2.0/24, 2001:db8::/32",
    "device_resources": "smarter-devices/video0",
}


def app(**given: Any) -> Workload:
    one = workload(**{key: value for key, value in given.items() if key != "app"})
    return replace(one, options={**one.options, "app": True})


CASES = {
    "app": DesiredWorkload(app()),
    "app-full": DesiredWorkload(app(**APP)),
    "app-memory": DesiredWorkload(app(app_storage="")),
    "plain": DesiredWorkload(workload()),
    "full": DesiredWorkload(workload(**FULL)),
    "canary": DesiredWorkload(workload(replicas=4), workload(4, replicas=4), 20),
    "full-canary": DesiredWorkload(workload(**FULL), workload(4, **FULL), 5),
    "configmap": DesiredWorkload(with_maps(workload())),
    "unrestricted": DesiredWorkload(workload(clients="unrestricted", memory_limit="")),
    "kserve": DesiredWorkload(workload(kind="inferenceservice", **FULL)),
    "kserve-canary": DesiredWorkload(
        workload(kind="inferenceservice"), workload(4, kind="inferenceservice"), 10
    ),
}
CUSTOM = {"HTTPRoute", "InferenceService"}
"""Kinds of extensions, of which Kubernetes' own schemas know nothing."""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_manifests_are_valid(case: str, version: str) -> None:
    found = manifests(CASES[case])
    assert problems(found) == []
    checked = 0
    for manifest in found:
        if manifest["kind"] in CUSTOM:
            with pytest.raises(kubernetes_validate.SchemaNotFoundError):
                kubernetes_validate.validate(manifest, version, strict=True)
        else:
            kubernetes_validate.validate(manifest, version, strict=True)
            checked += 1
    assert checked or "kserve" in case


def test_the_pod_of_an_inference_service_is_valid() -> None:
    predictor = manifests(CASES["kserve"])[-1]["spec"]["predictor"]
    own = {"minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "canaryTrafficPercent"}
    spec = {key: value for key, value in predictor.items() if key not in own}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
    kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)
    assert own - set(predictor) == {"canaryTrafficPercent"}


def test_the_same_facts_give_the_same_text() -> None:
    first, second = (join(manifests(DesiredWorkload(workload(**FULL)))) for _ in range(2))
    assert first == second
    assert list(yaml.safe_load_all(first)) == manifests(DesiredWorkload(workload(**FULL)))


def test_a_pod_may_do_nothing_that_it_need_not() -> None:
    spec = _deployment(CASES["full"])["spec"]["template"]["spec"]
    container = spec["containers"][0]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    policy = next(one for one in manifests(CASES["full"]) if one["kind"] == "NetworkPolicy")
    assert policy["spec"]["egress"] == []


def test_an_app_keeps_events_in_a_claim_and_takes_variables_from_a_secret() -> None:
    found = {one["kind"]: one for one in manifests(CASES["app-full"])}
    claim = found["PersistentVolumeClaim"]
    assert claim["spec"]["storageClassName"] == "fast"
    pod = _deployment(CASES["app-full"])["spec"]["template"]["spec"]
    volumes = {one["name"]: one for one in pod["volumes"]}
    assert volumes["app-data"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert volumes["app-variables"]["secret"]["secretName"] == "gate"
    container = pod["containers"][0]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    places = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
    assert variables["EDGEWRIGHT_APP_DATA"] == places["app-data"]
    file = f"{places['app-variables']}/variables.json"
    assert variables["EDGEWRIGHT_APP_VARIABLES_FILE"] == file
    assert container["resources"]["limits"]["smarter-devices/video0"] == "1"


def test_an_app_connects_to_its_networks_alone_and_its_pods_follow_each_other() -> None:
    policy = next(one for one in manifests(CASES["app-full"]) if one["kind"] == "NetworkPolicy")
    names, networks = policy["spec"]["egress"]
    assert {one["port"] for one in names["ports"]} == {53}
    assert [one["ipBlock"]["cidr"] for one in networks["to"]] == ["192.0.2.0/24", "2001:db8::/32"]
    assert _deployment(CASES["app"])["spec"]["strategy"] == {"type": "Recreate"}
    kinds = {one["kind"] for one in manifests(CASES["app-memory"])}
    assert "PersistentVolumeClaim" not in kinds


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"replicas": 2}, "An app runs once"),
        ({"kind": "inferenceservice"}, "served by a Deployment"),
        ({"app_storage": "much"}, "no size of a volume"),
        ({"variables_secret": "A b"}, "not the name of a Secret"),
        ({"app_egress": "everywhere"}, "not a network"),
        ({"device_resources": "a b"}, "not the name of a resource"),
    ],
)
def test_options_that_no_app_can_have_are_one_sentence(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(StudioError, match=reason):
        check_app(app(**given))


def test_probes_ask_the_runtime() -> None:
    container = _deployment(CASES["plain"])["spec"]["template"]["spec"]["containers"][0]
    paths = {
        name: container[f"{name}Probe"]["httpGet"]["path"]
        for name in ("readiness", "liveness", "startup")
    }
    assert paths == {
        "readiness": "/v2/health/ready",
        "liveness": "/v2/health/live",
        "startup": "/v2/health/live",
    }


def test_who_deploys_is_no_reason_for_new_pods() -> None:
    one, other = workload(), replace(workload(), owner="bob@host")
    assert _deployment(DesiredWorkload(one)) != _deployment(DesiredWorkload(other))
    assert _deployment(DesiredWorkload(one))["spec"] == _deployment(DesiredWorkload(other))["spec"]


@pytest.mark.parametrize(
    ("given", "inside"),
    [
        ({}, True),
        ({"gateway": "infra/main"}, False),
        ({"ingress": "nginx"}, False),
        ({"service": "LoadBalancer"}, False),
        ({"clients": "all"}, False),
        ({"clients": "namespace", "gateway": "main"}, True),
    ],
)
def test_who_may_ask(given: dict[str, Any], inside: bool) -> None:
    found = manifests(DesiredWorkload(workload(**given)))
    policy = next(one for one in found if one["kind"] == "NetworkPolicy")
    assert ("from" in policy["spec"]["ingress"][0]) == inside


def test_a_token_comes_from_a_secret_and_is_in_no_manifest() -> None:
    container = _deployment(CASES["full"])["spec"]["template"]["spec"]["containers"][0]
    source = {"secretKeyRef": {"key": "token", "name": "digits-token"}}
    assert container["env"] == [{"name": "EDGEWRIGHT_TOKEN", "valueFrom": source}]
    plain = _deployment(CASES["plain"])["spec"]["template"]["spec"]["containers"][0]
    (names,) = plain["env"]
    assert names["name"] == "EDGEWRIGHT_ALLOWED_HOSTS"
    assert "digits-token" not in str(plain)


def test_the_server_knows_the_names_of_its_service() -> None:
    def names(**given: Any) -> str:
        (found,) = _deployment(DesiredWorkload(workload(**given)))["spec"]["template"]["spec"][
            "containers"
        ]
        return str(found["env"][0]["value"])

    place = workload().place
    assert f"{place.name}.{place.namespace}.svc" in names().split(",")
    assert f"{place.canary}.{place.namespace}" in names().split(",")
    assert names(ingress="nginx", hostname="models.example") == "models.example"
    assert names(service="LoadBalancer") == "*"


def test_an_autoscaler_owns_the_number_of_replicas() -> None:
    assert "replicas" not in _deployment(CASES["full"])["spec"]
    assert _deployment(CASES["plain"])["spec"]["replicas"] == 1


def test_a_canary_with_a_gateway_has_two_weights() -> None:
    found = manifests(CASES["full-canary"])
    route = next(one for one in found if one["kind"] == "HTTPRoute")
    weights = {ref["name"]: ref["weight"] for ref in route["spec"]["rules"][0]["backendRefs"]}
    assert weights == {"digits": 95, "digits-canary": 5}
    services = {one["metadata"]["name"]: one for one in found if one["kind"] == "Service"}
    tracks = {name: one["spec"]["selector"]["edgewright/track"] for name, one in services.items()}
    assert tracks == {"digits": "stable", "digits-canary": "canary"}
    assert CASES["full-canary"].traffic == 5


def test_a_canary_without_a_gateway_has_its_share_of_pods() -> None:
    found = manifests(CASES["canary"])
    replicas = [one["spec"]["replicas"] for one in found if one["kind"] == "Deployment"]
    assert replicas == [4, 1]
    assert CASES["canary"].traffic == 20
    selector = next(one for one in found if one["kind"] == "Service")["spec"]["selector"]
    assert "edgewright/track" not in selector


@pytest.mark.parametrize(
    ("stable", "percent", "canary"), [(1, 10, 1), (4, 20, 1), (10, 50, 10), (3, 50, 3), (9, 20, 2)]
)
def test_replicas_of_a_canary(stable: int, percent: int, canary: int) -> None:
    assert canary_replicas(stable, percent) == canary
    nearest = min(range(1, 50), key=lambda count: abs(share(stable, count) - percent))
    assert share(stable, canary) == share(stable, nearest)


def _deployment(wanted: DesiredWorkload) -> Json:
    return next(one for one in manifests(wanted) if one["kind"] == "Deployment")


POD = ("spec", "template", "spec", "containers", 0)
BACKEND = ("spec", "rules", 0, "backendRefs", 0)
BROKEN: list[tuple[str, str, tuple[Any, ...], Any]] = [
    (
        "selector does not match",
        "Deployment",
        ("spec", "template", "metadata", "labels", "edgewright/track"),
        "x",
    ),
    ("selects nothing", "Deployment", ("spec", "selector"), {}),
    ("has no image", "Deployment", (*POD, "image"), None),
    ("not the reference", "Deployment", (*POD, "image"), "A B"),
    ("not a quantity", "Deployment", (*POD, "resources", "requests", "cpu"), "1 core"),
    ("more memory than", "Deployment", (*POD, "resources", "requests", "memory"), "2Gi"),
    ("requests no cpu", "Deployment", (*POD, "resources", "requests", "cpu"), "0"),
    ("asks port 81", "Deployment", (*POD, "readinessProbe", "httpGet", "port"), 81),
    ("label", "Deployment", ("metadata", "labels", "a"), "b c"),
    ("does not allow the name", "Service", ("metadata", "name"), "1st"),
    ("no container has a port", "Service", ("spec", "ports", 0, "targetPort"), "web"),
    ("no pod has the labels", "Service", ("spec", "selector", "x"), "y"),
    (
        "no pod has the labels",
        "PodDisruptionBudget",
        ("spec", "selector", "matchLabels", "x"),
        "y",
    ),
    ("nothing in particular", "NetworkPolicy", ("spec", "podSelector"), {}),
    ("does not exist", "HorizontalPodAutoscaler", ("spec", "scaleTargetRef", "name"), "x"),
    ("fewer replicas", "HorizontalPodAutoscaler", ("spec", "minReplicas"), 99),
    ("weights are not 100", "HTTPRoute", (*BACKEND, "weight"), 1),
    ("leads to a Service", "HTTPRoute", (*BACKEND, "name"), "x"),
    ("name of a host", "HTTPRoute", ("spec", "hostnames"), ["a_b"]),
]


@pytest.mark.parametrize(("text", "kind", "path", "value"), BROKEN)
def test_what_the_schemas_let_pass(
    text: str, kind: str, path: tuple[Any, ...], value: object
) -> None:
    found = copy.deepcopy(manifests(CASES["full-canary"]))
    place: Any = next(one for one in found if one["kind"] == kind)
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    assert any(text in problem for problem in problems(found))


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("250m", 0.25), ("1Ki", 1024), ("1.5Gi", 1.5 * 2**30), ("2G", 2e9), ("1e3", 1000)],
)
def test_quantities(text: str, number: float) -> None:
    assert float(parse_quantity(text)) == number


@pytest.mark.parametrize("text", ["", "1 Gi", "1gb", "a", "--1", "1KiB", "0x10", "1_000"])
def test_quantities_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity(text)


def test_names() -> None:
    for text in ("My Model!", "3d", "ä", "x" * 90, "a--", "-"):
        assert is_service_name(suggest(text)), text
        assert is_label_value(as_label_value(text)), text
    assert as_label_value("Digits of Ann") == "Digits-of-Ann"


def test_placeholders_of_an_image() -> None:
    assert image_reference("r/{name}:{version}-{digest}", "CNN", 3, "ab" * 32) == (
        "r/cnn:3-abababababab"
    )
    for template in ("r/{nam}:1", "r/{name", "r/{}", "r/{name.x}"):
        with pytest.raises(UsageError, match="placeholder"):
            image_reference(template, "cnn", 3, "ab" * 32)


def test_node_labels_and_tolerations() -> None:
    assert node_selector("a=b, c/d=e") == {"a": "b", "c/d": "e"}
    assert tolerations("a=b:NoSchedule,c") == [
        {"key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule"},
        {"key": "c", "operator": "Exists"},
    ]
    with pytest.raises(UsageError, match="not a node's label"):
        node_selector("a")
    with pytest.raises(UsageError, match="not a toleration"):
        tolerations("a:Never")


def test_files_and_differences() -> None:
    found = manifests(CASES["full-canary"])
    assert set(file_names(found)) >= {"deployment-digits.yaml", "deployment-digits-canary.yaml"}
    before, after = _deployment(CASES["plain"]), _deployment(DesiredWorkload(workload(4)))
    changes = difference(before, after)
    assert "-          image: registry.example/digits:3\n" in changes
    assert "+          image: registry.example/digits:4\n" in changes
    live = copy.deepcopy(before)
    live["metadata"] |= {"uid": "1", "resourceVersion": "2", "managedFields": []}
    live["status"] = {"replicas": 1}
    assert difference(live, before) == ""
    assert to_yaml(before).startswith("apiVersion: apps/v1\nkind: Deployment\nmetadata:\n")
