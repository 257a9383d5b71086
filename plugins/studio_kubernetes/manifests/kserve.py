"""Objects of KServe: an InferenceService, or an LLMInferenceService for a language model."""

from __future__ import annotations

from studio_kubernetes.manifests.model_images import MODELCAR, storage_uri
from studio_kubernetes.manifests.pods import pod_annotations, pod_spec
from studio_kubernetes.manifests.scaling import slots_of
from studio_kubernetes.manifests.workload import Json, Workload

KSERVE_CONTAINER = "kserve-container"
LLM_CONTAINER = "main"
"""Names that KServe gives to the container of the model."""

KINDS = ("inferenceservice", "llminferenceservice")
"""Kinds of workloads that KServe's controllers turn into pods."""

_CONCURRENCY, _CPU_PERCENT = 4, 70


def inference_service(workload: Workload, meta: Json, percent: int) -> Json:
    """Return a predictor with the studio's container, which has all paths of its server.

    Args:
        percent: Of the requests for this release; 0 sends it all of them.
    """
    predictor: Json = {
        **pod_spec(workload, KSERVE_CONTAINER),
        "maxReplicas": max(workload.options["replicas"], workload.options["max_replicas"]),
        "minReplicas": workload.options["replicas"],
    }
    if workload.autoscaled:
        predictor |= _scaling(workload)
    if percent:
        predictor["canaryTrafficPercent"] = percent
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": meta,
        "spec": {"predictor": predictor},
    }


def _scaling(workload: Workload) -> Json:
    at = workload.options["scale_at"]
    if workload.options["scale_on"] == "requests":
        usual = slots_of(workload) or _CONCURRENCY
        return {"scaleMetric": "concurrency", "scaleTarget": at or usual}
    return {"scaleMetric": "cpu", "scaleTarget": at or _CPU_PERCENT}


def llm_inference_service(workload: Workload, meta: Json) -> Json:
    """Return a language model in the studio's container, reached by KServe's gateway.

    KServe mounts a modelcar; a model in the image or in a volume needs nothing from it. Its
    scheduler is left out, as it reads the metrics of another server.
    """
    options = workload.options
    mounted = (
        {} if options.get("bundle") == MODELCAR else {"storageInitializer": {"enabled": False}}
    )
    return {
        "apiVersion": "serving.kserve.io/v1alpha2",
        "kind": "LLMInferenceService",
        "metadata": meta,
        "spec": {
            "annotations": pod_annotations(workload),
            "labels": workload.labels,
            "model": {"name": workload.model, "uri": storage_uri(workload)},
            "replicas": options["replicas"],
            "router": {"gateway": _gateway(workload), "route": {}},
            **mounted,
            "template": pod_spec(workload, LLM_CONTAINER),
        },
    }


def _gateway(workload: Workload) -> Json:
    """Return the gateway in the options, or an empty object for KServe's own."""
    namespace, _, name = str(workload.options["gateway"] or "").rpartition("/")
    if not name:
        return {}
    return {"refs": [{"name": name, "namespace": namespace or workload.place.namespace}]}
