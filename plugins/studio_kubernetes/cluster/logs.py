"""Lines to read: what pods logged, and what the cluster noted about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.api import TargetError
from studio_kubernetes.cluster.client import Cluster
from studio_kubernetes.manifests.workload import Json


def pod_lines(cluster: Cluster, pods: Sequence[Json], lines: int) -> Iterator[str]:
    """Yield the last lines of each pod, prefixed with its name if there are several.

    Raises:
        TargetError: when no pod is there.
    """
    if not pods:
        raise TargetError("No pod is there that could have logged anything.")
    for pod in pods:
        name = str(pod["metadata"]["name"])
        try:
            found = cluster.log(name, _container(pod), lines)
        except TargetError as error:
            found = [error.message]
        for line in found:
            yield f"{name} {line}" if len(pods) > 1 else line


def _container(pod: Json) -> str:
    containers = (pod.get("spec") or {}).get("containers") or [{}]
    return str(containers[0].get("name") or "")


def event_lines(events: Sequence[Json], name: str) -> Iterator[str]:
    """Yield events about objects whose names start with the target's, the oldest first."""
    for event in sorted(events, key=_when):
        target = event.get("involvedObject") or {}
        if not str(target.get("name") or "").startswith(name):
            continue
        yield (
            f"{_when(event)} {event.get('type', '')} {event.get('reason', '')} "
            f"{target.get('kind', '')}/{target.get('name', '')}: {event.get('message', '')}"
        )


def _when(event: Json) -> str:
    meta = event.get("metadata") or {}
    return str(
        event.get("lastTimestamp") or event.get("eventTime") or meta.get("creationTimestamp") or ""
    )
