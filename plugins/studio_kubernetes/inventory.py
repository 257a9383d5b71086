"""Listing of a target's objects, and the wait for their removal."""

from __future__ import annotations

import time
from collections.abc import Callable

from studio.api import Progress, Resource, TargetError
from studio_kubernetes.cluster.objects import Objects
from studio_kubernetes.manifests.workload import Json

_OVER_S = 30
"""Seconds beyond the pods' own grace time."""


def as_resource(manifest: Json) -> Resource:
    """Return one object of the cluster as a resource."""
    meta = manifest["metadata"]
    return Resource(
        manifest["kind"],
        str(meta["name"]),
        str(meta.get("namespace") or ""),
        str(meta.get("creationTimestamp") or ""),
        running=_runs(manifest),
        # A pod goes with the Deployment that owns it.
        removable=manifest["kind"] != "Pod" or not meta.get("deletionTimestamp"),
    )


def _runs(manifest: Json) -> bool:
    kind, spec = manifest["kind"], manifest.get("spec") or {}
    if kind == "Pod":
        return (manifest.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    if kind == "Service":
        return spec.get("type") == "LoadBalancer"  # a cloud charges for it by the hour
    if kind == "Deployment":
        return int(spec.get("replicas", 1)) > 0
    return bool(kind in ("InferenceService", "LLMInferenceService"))


def _grace_s(pod: Json) -> float:
    return float((pod.get("spec") or {}).get("terminationGracePeriodSeconds") or 0)


def wait_until_gone(
    objects: Objects,
    progress: Progress,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until the last pod has ended.

    Raises:
        TargetError: when pods are left after their grace time.
    """
    began = clock()
    grace = 0.0
    first = 0
    while pods := objects.pods():
        grace = max(grace, *map(_grace_s, pods))
        first = max(first, len(pods))
        progress.progress(first - len(pods), first, f"Waiting for {len(pods)} pods to end")
        if clock() - began > grace + _OVER_S:
            names = ", ".join(str(pod["metadata"]["name"]) for pod in pods)
            raise TargetError(f"The cluster has not ended these pods yet: {names}.")
        sleep(0.3)
