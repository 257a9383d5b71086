"""The state of Jobs and their pods, read for all tasks of a session at once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import TaskPhase
from studio_kubernetes.cluster.client import Cluster, ClusterUnreachable
from studio_kubernetes.cluster.kinds import POD
from studio_kubernetes.jobs.job_manifest import JOB, SESSION

_FRESH_S = 1.0
"""Time for which an answer counts: one question for all tasks."""

_SILENCE_S = 120.0
"""Longest silence of the API, as while a control plane is upgraded; its nodes work on."""

_MISSED_S = 10.0
"""A Job that is not listed for this long was dropped."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JobState:
    """What the cluster knows of a Job.

    Attributes:
        phase: ``ENDED`` for a Job that is complete.
    """

    phase: TaskPhase
    node: str = ""
    reason: str = ""


class JobStates:
    """The Jobs of a session; calls are serialized by the caller."""

    def __init__(self, cluster: Cluster, session: str) -> None:
        self._cluster = cluster
        self._labels = f"{SESSION}={session}"
        self._jobs: dict[str, Json] = {}
        self._pods: dict[str, Json] = {}
        self._read = self._tried = float("-inf")
        self._seen: dict[str, float] = {}

    def state(self, name: str) -> JobState:
        """Return the state of a Job.

        Raises:
            TargetError: when the cluster refuses, or is silent for minutes.
        """
        self._refresh()
        job = self._jobs.get(name)
        now = time.monotonic()
        if job is None:
            since = self._seen.setdefault(name, now)
            lost = self._read > since + _MISSED_S
            return JobState(TaskPhase.LOST if lost else TaskPhase.WAITING, "", "it was deleted")
        self._seen[name] = now
        return state_of(job, self._pods.get(name))

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._tried < _FRESH_S:
            return
        self._tried = now
        try:
            jobs = self._cluster.find(JOB, self._labels)
            pods = self._cluster.find(POD, self._labels)
        except ClusterUnreachable:
            if now - self._read > _SILENCE_S:
                raise
            return
        self._jobs = {one["metadata"]["name"]: one for one in jobs}
        self._pods = {_job_of(one): one for one in pods}
        self._read = time.monotonic()


def state_of(job: Json, pod: Json | None) -> JobState:
    """Return the state of a Job with its pod; None before there is one."""
    node = str((pod or {}).get("spec", {}).get("nodeName") or "")
    for condition in job.get("status", {}).get("conditions") or ():
        if condition.get("status") == "True" and condition.get("type") == "Complete":
            return JobState(TaskPhase.ENDED, node)
        if condition.get("status") == "True" and condition.get("type") == "Failed":
            reason = _end_of(pod) or str(condition.get("message") or condition.get("reason") or "")
            return JobState(TaskPhase.LOST, node, reason)
    if pod is None:
        return JobState(TaskPhase.WAITING, "", "a pod")
    if pod["metadata"].get("deletionTimestamp"):
        return JobState(TaskPhase.LOST, node, _end_of(pod) or "its pod was evicted")
    phase = pod.get("status", {}).get("phase")
    if phase == "Failed":
        return JobState(TaskPhase.LOST, node, _end_of(pod) or "its pod failed")
    if phase in ("Running", "Succeeded"):
        return JobState(TaskPhase.RUNNING, node)
    return JobState(TaskPhase.WAITING, node, _waits_for(pod))


def _job_of(pod: Json) -> str:
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((str(one.get("name")) for one in owners if one.get("kind") == "Job"), "")


def _end_of(pod: Json | None) -> str:
    """Return how the container or the pod ended; empty where it is not known."""
    status = (pod or {}).get("status", {})
    for one in status.get("containerStatuses") or ():
        ended = one.get("state", {}).get("terminated") or {}
        if ended.get("reason") not in (None, "Error", "Completed"):
            return str(ended["reason"])
        if ended.get("exitCode"):
            return f"exit status {ended['exitCode']}"
    return str(status.get("message") or status.get("reason") or "")


def _waits_for(pod: Json) -> str:
    status = pod.get("status", {})
    for one in status.get("containerStatuses") or ():
        waiting = one.get("state", {}).get("waiting") or {}
        if waiting:
            return str(waiting.get("message") or waiting.get("reason") or "")
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") != "True":
            return str(condition.get("message") or condition.get("reason") or "")
    return ""
