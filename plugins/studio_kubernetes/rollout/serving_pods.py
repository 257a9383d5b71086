"""Counters and answers of a target's pods, read through tunnels."""

from __future__ import annotations

from collections.abc import Iterator

from studio.api import TargetError
from studio_kubernetes.cluster.kinds import DEPLOYMENT
from studio_kubernetes.cluster.objects import Objects
from studio_kubernetes.cluster.tunnel import PodTunnel
from studio_kubernetes.manifests.names import short
from studio_kubernetes.manifests.workload import Json, Workload
from studio_kubernetes.rollout.progress import COMPLETE, assess_deployment, is_ready
from studio_kubernetes.rollout.server_metrics import Counters, read_counters
from studio_kubernetes.rollout.watcher import RolloutFailed


class ServingPods:
    """The pods of one target."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def tunnel(self, track: str) -> PodTunnel | None:
        """Return a tunnel to the youngest ready pod of a track, or None without one."""
        pods = [pod for pod in self._objects.pods(track) if is_ready(pod)]
        if not pods:  # KServe names no tracks
            pods = [pod for pod in self._objects.pods() if is_ready(pod) and not _track(pod)]
        pods.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp") or ""))
        return self._into(pods[-1]) if pods else None

    def counters(self, track: str) -> list[Counters]:
        """Return the counters of each ready pod of a track that answers."""
        return list(self._read_counters(track))

    def check(self, workload: Workload, track: str) -> None:
        """Check that the pods of a track serve the release in their labels.

        Where the user may not open a way into a pod, the labels must do.

        Raises:
            RolloutFailed: when an image holds another release.
        """
        for counters in self._read_counters(track):
            if counters.digest and counters.digest != workload.release:
                image = workload.model_image or workload.image
                raise RolloutFailed(
                    f"the image {image} holds release {short(counters.digest)}, "
                    f"not {short(workload.release)}"
                )

    def tracks_ready(self) -> bool:
        """Return whether no rollout is under way."""
        place = self._objects.place
        for name in (place.name, place.canary):
            deployment = self._objects.cluster.get(DEPLOYMENT, name)
            if deployment and assess_deployment(deployment, ()).state != COMPLETE:
                return False
        return True

    def _read_counters(self, track: str) -> Iterator[Counters]:
        for pod in self._objects.pods(track):
            if not is_ready(pod):
                continue
            try:
                with self._into(pod) as tunnel:
                    yield read_counters(tunnel, self._objects.cluster.patience_s)
            except TargetError:
                continue  # it may have ended in the meantime; the others tell enough

    def _into(self, pod: Json) -> PodTunnel:
        cluster = self._objects.cluster
        name = str(pod["metadata"]["name"])
        return PodTunnel(cluster.api.configuration, cluster.namespace, name, _port(pod))


def _track(pod: Json) -> str:
    return str((pod["metadata"].get("labels") or {}).get("edgewright/track") or "")


def _port(pod: Json) -> int:
    containers = (pod.get("spec") or {}).get("containers") or []
    ports = [port["containerPort"] for one in containers for port in one.get("ports") or []]
    return int(ports[0]) if ports else 8477
