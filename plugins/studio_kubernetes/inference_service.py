"""KServe's InferenceService, whose controller makes the rest."""

from __future__ import annotations

from studio_kubernetes.pods import pod_spec
from studio_kubernetes.workload import Json, Workload

KSERVE_CONTAINER = "kserve-container"


def inference_service(workload: Workload, meta: Json, percent: int) -> Json:
    """A predictor with our own container, which speaks the Open Inference Protocol itself.

    Args:
        percent: Of the requests for this release beside the one before it; 0 for all of them.
    """
    predictor: Json = {
        **pod_spec(workload, KSERVE_CONTAINER),
        "maxReplicas": max(workload.options["replicas"], workload.options["max_replicas"]),
        "minReplicas": workload.options["replicas"],
    }
    if workload.autoscaled:
        predictor |= _scaling(workload.options["scale_on"], workload.options["scale_at"])
    if percent:
        predictor["canaryTrafficPercent"] = percent
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": meta,
        "spec": {"predictor": predictor},
    }


def _scaling(what: str, at: int) -> Json:
    if what == "requests":
        return {"scaleMetric": "concurrency", "scaleTarget": at or 4}
    return {"scaleMetric": "cpu", "scaleTarget": at or 70}
