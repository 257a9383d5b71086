"""Number of pods: autoscaling, disruption budgets, and the replicas of a canary."""

from __future__ import annotations

import math

from studio_kubernetes.manifests.generation import generation_of
from studio_kubernetes.manifests.workload import Json, Workload

IN_FLIGHT = "nv_inference_pending_request_count"
"""The runtime's gauge of unanswered requests; an adapter must offer it as a pod's metric."""

WAITING = "edgewright_generation_requests_waiting"
"""The runtime's gauge of requests that wait for a slot of a language model."""

_CPU_PERCENT = 70
_IN_FLIGHT = 4
_WAITING = 1


def autoscaler(workload: Workload, meta: Json) -> Json | None:
    """Return a HorizontalPodAutoscaler of the stable Deployment if more replicas are allowed."""
    if not workload.autoscaled:
        return None
    options = workload.options
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": workload.place.name}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta,
        "spec": {
            # A burst is followed at once, its end with patience: models are slow to load.
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
            "maxReplicas": options["max_replicas"],
            "metrics": [_metric(workload, options["scale_on"], options["scale_at"])],
            "minReplicas": options["replicas"],
            "scaleTargetRef": target,
        },
    }


def _metric(workload: Workload, what: str, at: int) -> Json:
    if what == "requests":
        return _of_pods(IN_FLIGHT, at or slots_of(workload) or _IN_FLIGHT)
    if what == "waiting":
        return _of_pods(WAITING, at or _WAITING)
    target = {"averageUtilization": at or _CPU_PERCENT, "type": "Utilization"}
    return {"resource": {"name": "cpu", "target": target}, "type": "Resource"}


def _of_pods(metric: str, at: int) -> Json:
    target: Json = {"averageValue": str(at), "type": "AverageValue"}
    return {"pods": {"metric": {"name": metric}, "target": target}, "type": "Pods"}


def slots_of(workload: Workload) -> int:
    """Return how many prompts a replica answers at the same time; 0 for other models."""
    return int(generation_of(workload.options).get("slots") or 0)


def disruption_budget(workload: Workload, meta: Json) -> Json:
    """Return a budget of one unavailable pod, which also lets a node with one replica drain."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": workload.place.selector},
        },
    }


def canary_replicas(stable: int, percent: int) -> int:
    """Return the replicas whose share of all replicas is nearest to a percentage."""
    exact = stable * percent / (100 - percent)
    below, above = max(1, math.floor(exact)), max(1, math.ceil(exact))
    return min((below, above), key=lambda count: abs(share(stable, count) - percent))


def share(stable: int, canary: int) -> int:
    """Return the percentage of the pods, hence of the requests, of the canary."""
    return round(100 * canary / (stable + canary))
