"""Wait for a rollout, with its progress and the reason of a stop."""

from __future__ import annotations

import time
from collections.abc import Callable

from studio.api import Progress, TargetError
from studio_kubernetes.cluster.client import ClusterUnreachable
from studio_kubernetes.cluster.kinds import DEPLOYMENT, EVENT, ApiKind
from studio_kubernetes.cluster.objects import Objects
from studio_kubernetes.manifests.names import RELEASE_LABEL, short
from studio_kubernetes.manifests.workload import Json
from studio_kubernetes.rollout.progress import (
    COMPLETE,
    FAILED,
    RolloutProgress,
    assess_deployment,
    assess_inference_service,
)

_SILENCE_S = 30.0
"""Seconds without the cluster (an upgrade, a lost link) after which a rollout is given up."""


class RolloutFailed(TargetError):
    """A release that did not become ready.

    Attributes:
        reason: A clause without a full stop.
    """

    def __init__(self, reason: str, *, detail: str = "") -> None:
        super().__init__(f"The release did not become ready: {reason}.", detail=detail)
        self.reason = reason


class Watcher:
    """Looks until a release is ready.

    Args:
        limit_s: Until it must be.
        pause_s: Between two looks, where the cluster does not say that something changed.
    """

    def __init__(
        self,
        objects: Objects,
        limit_s: float,
        *,
        pause_s: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._objects = objects
        self._limit_s = limit_s
        self._pause_s = pause_s
        self._clock = clock
        self._sleep = sleep

    def wait(self, kind: ApiKind, name: str, release: str, progress: Progress) -> None:
        """Wait until an object serves a release.

        Raises:
            RolloutFailed: when it fails, is deleted, or the time is up.
            ClusterUnreachable: when the cluster is away for too long.
        """
        began = heard = self._clock()
        last = RolloutProgress("", "nothing was seen of it")
        while self._clock() - began < self._limit_s:
            progress.check()
            try:
                seen, last = self._poll(kind, name, release)
                heard = self._clock()
            except ClusterUnreachable:
                if self._clock() - heard > _SILENCE_S:
                    raise
                progress.log("The cluster does not answer; waiting for it.")
                self._sleep(self._pause_s)
                continue
            progress.progress(last.ready, last.wanted, f"{name}: {last.text}")
            if last.state == COMPLETE:
                return
            if last.state == FAILED:
                raise RolloutFailed(last.text, detail=self.evidence(last.pod))
            self._pause(kind, seen)
        text = f"{last.text} after {self._limit_s:g} s"
        raise RolloutFailed(text, detail=self.evidence(last.pod))

    def evidence(self, pod: str) -> str:
        """Return the last lines and events of a pod, as far as available."""
        if not pod:
            return ""
        cluster = self._objects.cluster
        lines: list[str] = []
        # The previous container first: its log holds the reason of a restart.
        for previous in (True, False):
            try:
                lines += cluster.log(pod, "", 20, previous=previous)
            except TargetError:
                continue
        try:
            events = cluster.find(EVENT)
        except TargetError:
            events = []
        lines += [
            f"{event.get('reason')}: {event.get('message')}"
            for event in events
            if (event.get("involvedObject") or {}).get("name") == pod
        ][-10:]
        return "\n".join(lines)

    def _poll(self, kind: ApiKind, name: str, release: str) -> tuple[Json, RolloutProgress]:
        seen = self._objects.cluster.get(kind, name)
        if seen is None:
            raise RolloutFailed(f"somebody deleted {kind.kind} {name} in the meantime")
        wanted = short(release)
        pods = [
            pod
            for pod in self._objects.pods()
            if (pod["metadata"].get("labels") or {}).get(RELEASE_LABEL) == wanted
        ]
        assess = assess_deployment if kind is DEPLOYMENT else assess_inference_service
        return seen, assess(seen, pods)

    def _pause(self, kind: ApiKind, seen: Json) -> None:
        """Wait for a change or a timeout, because pods change without their Deployment."""
        try:
            self._objects.cluster.wait_for_change(kind, seen, self._pause_s)
        except TargetError:
            self._sleep(self._pause_s)
