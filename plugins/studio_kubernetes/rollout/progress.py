"""Progress of a rollout, and why it stopped, computed from objects without requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from studio_kubernetes.manifests.workload import Json

COMPLETE, RUNNING, FAILED = "complete", "running", "failed"

_HOPELESS = {
    "CreateContainerConfigError": "a pod cannot be made",
    "CreateContainerError": "a pod cannot be made",
    "ErrImageNeverPull": "the image is not on the node",
    "ImageInspectError": "the image cannot be read",
    "ImagePullBackOff": "the image cannot be pulled",
    "InvalidImageName": "the image has a name that does not exist",
    "RunContainerError": "a pod cannot be started",
}
"""Reasons of waiting that do not go away by themselves."""

_CRASHES = 2
"""Restarts after which a release that never became ready has failed."""


@dataclass(frozen=True, slots=True)
class RolloutProgress:
    """Progress of a rollout.

    Attributes:
        state: ``complete``, ``running`` or ``failed``.
        text: One clause: what is ready, or why it is not.
        pod: The pod that shows why.
    """

    state: str
    text: str
    ready: int = 0
    wanted: int = 1
    pod: str = ""


def assess_deployment(deployment: Json, pods: Sequence[Json]) -> RolloutProgress:
    """Return the progress of a Deployment.

    Args:
        pods: Of its newest template.
    """
    spec, status = deployment.get("spec") or {}, deployment.get("status") or {}
    wanted = int(spec.get("replicas", 1))
    ready = min(int(status.get("updatedReplicas") or 0), _ready(pods, status))
    seen = int(status.get("observedGeneration") or 0)
    if seen < int(deployment["metadata"].get("generation") or 0):
        return RolloutProgress(RUNNING, "the cluster has not looked at it yet", 0, wanted)
    whole = int(status.get("replicas") or 0)
    available = int(status.get("availableReplicas") or 0)
    if int(status.get("updatedReplicas") or 0) == whole == wanted and available >= wanted:
        return RolloutProgress(COMPLETE, f"{wanted} of {wanted} replicas ready", wanted, wanted)
    conditions = {one.get("type"): one for one in status.get("conditions") or []}
    if failure := _failed(conditions):
        return RolloutProgress(FAILED, failure, ready, wanted)
    if trouble := _trouble(pods):
        return RolloutProgress(trouble[0], trouble[1], ready, wanted, trouble[2])
    progressing = conditions.get("Progressing") or {}
    if progressing.get("reason") == "ProgressDeadlineExceeded":
        return RolloutProgress(
            FAILED, "no replica became ready within the time limit", ready, wanted
        )
    return RolloutProgress(RUNNING, f"{ready} of {wanted} replicas ready", ready, wanted)


def assess_inference_service(service: Json, pods: Sequence[Json]) -> RolloutProgress:
    """Return the progress of an object of KServe."""
    status = service.get("status") or {}
    seen = status.get("observedGeneration")
    generation = service["metadata"].get("generation")
    if seen is not None and seen < (generation or 0):
        return RolloutProgress(RUNNING, "KServe has not looked at it yet")
    conditions = {one.get("type"): one for one in status.get("conditions") or []}
    ready = conditions.get("Ready") or {}
    if ready.get("status") == "True":
        return RolloutProgress(COMPLETE, "KServe says that it is ready", 1)
    if trouble := _trouble(pods):
        return RolloutProgress(trouble[0], trouble[1], pod=trouble[2])
    text = " ".join(str(ready.get("message") or ready.get("reason") or "").split())
    return RolloutProgress(RUNNING, text or "KServe has not said that it is ready")


def _ready(pods: Iterable[Json], status: Mapping[str, Any]) -> int:
    found = sum(is_ready(pod) for pod in pods)
    return found or int(status.get("readyReplicas") or 0)


def _failed(conditions: Mapping[Any, Mapping[str, Any]]) -> str:
    failure = conditions.get("ReplicaFailure") or {}
    if failure.get("status") != "True":
        return ""
    message = " ".join(str(failure.get("message") or "no pod could be made").split())
    if "exceeded quota" in message:
        return f"the namespace's quota does not allow it ({message.rpartition('exceeded ')[2]})"
    return f"no pod may be made ({message})"


def _trouble(pods: Iterable[Json]) -> tuple[str, str, str] | None:
    """Return the worst reason why pods are not ready."""
    found = [one for pod in pods for one in _pod_trouble(pod)]
    found.sort(key=lambda one: one[0] != FAILED)
    return found[0] if found else None


def _pod_trouble(pod: Json) -> Iterator[tuple[str, str, str]]:
    name = pod["metadata"]["name"]
    status = pod.get("status") or {}
    for condition in status.get("conditions") or []:
        unschedulable = condition.get("reason") == "Unschedulable"
        if condition.get("type") == "PodScheduled" and unschedulable:
            # An autoscaler of nodes may still make room: not hopeless before the time is up.
            text = f"no node takes the pod ({_text(condition)})"
            yield RUNNING, text, name
    for container in status.get("containerStatuses") or []:
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = str(waiting.get("reason") or "")
        if reason in _HOPELESS:
            yield FAILED, f"{_HOPELESS[reason]} ({reason}: {_text(waiting)})", name
        elif reason == "CrashLoopBackOff" or int(container.get("restartCount") or 0) > _CRASHES:
            yield FAILED, f"the server ends again and again ({_end(container)})", name


def _end(container: Mapping[str, Any]) -> str:
    last = (container.get("lastState") or {}).get("terminated") or {}
    if last.get("reason") == "OOMKilled":
        return "it needs more memory than its limit"
    code = last.get("exitCode")
    return "CrashLoopBackOff" if code is None else f"CrashLoopBackOff, exit status {code}"


def _text(part: Mapping[str, Any]) -> str:
    return shorten(str(part.get("message") or ""), 300, placeholder=" ...") or "no reason reported"


def is_ready(pod: Json) -> bool:
    """Return whether a pod gets requests."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)
