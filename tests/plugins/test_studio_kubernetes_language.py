"""Manifests of language models: memory, time to load and to end, scaling, objects of KServe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import kubernetes_validate
import pytest

from studio.api import Parcel, Refused, StudioError, validate
from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.export import FORMS
from studio_kubernetes.manifests.generation import check_generation, facts_of, memory_of
from studio_kubernetes.manifests.validation import problems
from studio_kubernetes.manifests.workload import Json, Workload
from studio_kubernetes.options import DEPLOY_OPTIONS
from tests.plugins.test_studio_kubernetes_manifests import VERSIONS, workload

FACTS = {
    "backend": "llama-cpp",
    "bytes": 98_362_432,
    "cache": "f16",
    "context": 4096,
    "memory_mb": 633,
    "slots": 4,
}
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "waiting": {"max_replicas": 4, "scale_on": "waiting"},
    "requests": {"max_replicas": 4, "scale_on": "requests"},
    "drain": {"drain_s": 600},
    "token": {"token_secret": "smollm2-token"},
    "kserve": {"kind": "inferenceservice", "max_replicas": 3, "scale_on": "requests"},
    "llm": {"kind": "llminferenceservice", "replicas": 2},
    "llm-gateway": {"kind": "llminferenceservice", "gateway": "infra/main"},
}


def speaker(facts: dict[str, Any] | None = None, **given: Any) -> Workload:
    one = workload(**given)
    return replace(one, options={**one.options, "generation": {**FACTS, **(facts or {})}})


def made(kind: str, /, **given: Any) -> Json:
    found = manifests(DesiredWorkload(speaker(**given)))
    return next(one for one in found if one["kind"] == kind)


def container(**given: Any) -> Json:
    found: Json = made("Deployment", **given)["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_manifests_are_valid(case: str, version: str) -> None:
    one = speaker(**CASES[case])
    check_generation(one.options)
    found = manifests(DesiredWorkload(one))
    assert problems(found) == []
    for manifest in found:
        if manifest["apiVersion"].startswith("serving.kserve.io/"):
            assert manifest["kind"] in ("InferenceService", "LLMInferenceService")
        else:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_memory_follows_from_the_prediction() -> None:
    found = container()["resources"]
    assert found["requests"]["memory"] == "604Mi"
    assert found["limits"]["memory"] == "725Mi"


def test_other_models_have_the_memory_of_before() -> None:
    options = validate(DEPLOY_OPTIONS, {"image": "x:1"})
    assert memory_of(options) == ("256Mi", "512Mi")
    assert memory_of({**options, "memory": "2Gi"}) == ("2Gi", "2Gi")
    assert memory_of({**options, "memory_limit": ""}) == ("256Mi", "")


def test_without_a_prediction_there_is_room_for_twice_the_files() -> None:
    one = speaker({"memory_mb": 0, "backend": "openvino-genai"})
    assert memory_of(one.options) == ("700Mi", "840Mi")


def test_it_is_ready_when_it_has_loaded_and_not_killed_before() -> None:
    startup = container()["startupProbe"]
    assert startup["httpGet"]["path"] == "/v2/health/ready"
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 184
    large = speaker({"bytes": 8_000_000_000})
    deployment = manifests(DesiredWorkload(large))[3]
    probe = deployment["spec"]["template"]["spec"]["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 580


def test_answers_have_time_to_end() -> None:
    spec = made("Deployment")["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] == 5 + 120 + 10
    arguments = spec["containers"][0]["args"]
    assert arguments[arguments.index("--drain-seconds") + 1] == "120"
    assert arguments[arguments.index("--request-seconds") + 1] == "600"
    longer = made("Deployment", drain_s=600)["spec"]["template"]["spec"]
    assert longer["terminationGracePeriodSeconds"] == 615


def test_threads_of_llama_cpp_spin_shortly() -> None:
    spins = {"name": "GOMP_SPINCOUNT", "value": "1000"}
    assert spins in container()["env"]
    other = manifests(DesiredWorkload(speaker({"backend": "onnxruntime-genai"})))[3]
    assert spins not in other["spec"]["template"]["spec"]["containers"][0]["env"]


@pytest.mark.parametrize(
    ("what", "metric", "at"),
    [
        ("waiting", "edgewright_generation_requests_waiting", "1"),
        ("requests", "nv_inference_pending_request_count", "4"),
    ],
)
def test_replicas_follow_requests(what: str, metric: str, at: str) -> None:
    found = made("HorizontalPodAutoscaler", max_replicas=4, scale_on=what)
    [one] = found["spec"]["metrics"]
    assert one["pods"]["metric"]["name"] == metric
    assert one["pods"]["target"]["averageValue"] == at


def test_kserve_gets_a_model_that_is_in_the_image() -> None:
    spec = made("LLMInferenceService", kind="llminferenceservice", replicas=2)["spec"]
    assert spec["model"] == {"name": "Digits of Ann", "uri": "oci://registry.example/digits:3"}
    assert spec["storageInitializer"] == {"enabled": False}
    assert spec["router"] == {"gateway": {}, "route": {}}
    assert spec["replicas"] == 2
    [main] = spec["template"]["containers"]
    assert main["name"] == "main"
    assert main["ports"][0]["containerPort"] == 8000
    assert main["command"] == ["python3", "/opt/edgewright/edgewright.pyz"]
    assert main["args"][main["args"].index("--port") + 1] == "8000"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec["template"]}
    kubernetes_validate.validate(pod, VERSIONS[-1], strict=True)


def test_a_gateway_of_ones_own() -> None:
    spec = made("LLMInferenceService", kind="llminferenceservice", gateway="main")["spec"]
    assert spec["router"]["gateway"] == {"refs": [{"name": "main", "namespace": "prod"}]}


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"memory_limit": "300Mi", "memory": "200Mi"}, "633 MB with 4 slots of 4,096 tokens"),
    ({"kind": "llminferenceservice", "max_replicas": 3}, "KEDA or WVA"),
    ({"kind": "llminferenceservice", "ingress": "nginx"}, "makes the way"),
    ({"kind": "inferenceservice", "max_replicas": 3, "scale_on": "waiting"}, "CPU or by requests"),
]


@pytest.mark.parametrize(("given", "words"), REFUSED)
def test_what_cannot_be_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        check_generation(speaker(**given).options)


@pytest.mark.parametrize(
    "given", [{"kind": "llminferenceservice"}, {"scale_on": "waiting", "max_replicas": 2}]
)
def test_other_models_have_no_slots(given: dict[str, Any]) -> None:
    with pytest.raises(StudioError, match=r"[Ll]anguage models"):
        check_generation(workload(**given).options)


@pytest.mark.parametrize("form", FORMS)
def test_an_export_has_the_object_of_kserve(form: str) -> None:
    files = FORMS[form](speaker(kind="llminferenceservice"), ())
    (text,) = [text for name, text in files.items() if name.endswith("llminferenceservice.yaml")]
    assert "kind: LLMInferenceService" in text
    if form == "helm":
        assert "image: {{ .Values.image | quote }}" in text
        assert "replicas: {{ .Values.replicas }}" in text


def test_facts_come_from_the_manifest(tmp_path: Any) -> None:
    manifest = {
        "name": "smollm2",
        "version": 1,
        "generation": {"context": 512, "slots": 2, "cache": "int8"},
        "model": {"backend": "llama-cpp"},
        "files": {"model.gguf": {"bytes": 90}, "golden/0.npz": {"bytes": 7}},
    }
    parcel = Parcel(tmp_path, tmp_path, "ab" * 32, manifest, memory_mb=150)
    assert facts_of(parcel)["generation"] == {
        "backend": "llama-cpp",
        "bytes": 90,
        "cache": "int8",
        "context": 512,
        "memory_mb": 150,
        "slots": 2,
    }
    del manifest["generation"]
    assert facts_of(parcel) == {}
