"""The Job of one attempt at a task."""

from __future__ import annotations

import os
from typing import Any

from studio.api import TaskOrder
from studio.api.tasks.executors import PROGRAM
from studio_kubernetes.cluster.kinds import ApiKind
from studio_kubernetes.jobs.job_address import JobAddress
from studio_kubernetes.manifests.names import MANAGED_BY, MANAGER

JOB = ApiKind("Job", "batch/v1", "jobs", serves=False)
SESSION = "edgewright/session"
"""Label of all Jobs and pods of one run of the studio."""

_TITLE = "edgewright/title"
_KEPT_S = 3600
_UNREACHABLE_S = 60
_VOLUME = "shared"


def job_name(task: str) -> str:
    """Return the name of an attempt's Job."""
    return f"edgewright-{task.lower()}"


def job_manifest(order: TaskOrder, address: JobAddress, session: str) -> dict[str, Any]:
    """Return the manifest of a Job that runs the program of tasks once.

    Kubernetes itself never starts it again: a lost task is a new Job. Its pod has no token of the
    cluster's API, and the user's number, so that both sides may read what the other wrote.
    """
    labels = {MANAGED_BY: MANAGER, SESSION: session}
    return {
        "apiVersion": JOB.api,
        "kind": JOB.kind,
        "metadata": {
            "name": job_name(order.id),
            "labels": labels,
            "annotations": {_TITLE: order.title[:200]},
        },
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "ttlSecondsAfterFinished": _KEPT_S,
            "template": {"metadata": {"labels": labels}, "spec": _pod(order.id, address)},
        },
    }


def _pod(task: str, address: JobAddress) -> dict[str, Any]:
    limits = {"cpu": address.cpus, "memory": address.mem}
    wanted = {name: value for name, value in limits.items() if value}
    container: dict[str, Any] = {
        "name": "task",
        "image": address.image,
        "command": [
            address.python,
            *PROGRAM,
            f"{address.mount}/tasks/{task}",
            f"{address.mount}/inputs",
        ],
        "env": [{"name": "HOME", "value": "/tmp"}],
        "volumeMounts": [{"name": _VOLUME, "mountPath": address.mount}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    if wanted:
        container["resources"] = {"requests": wanted, "limits": wanted}
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsUser": os.getuid(), "runAsGroup": os.getgid()},
        "tolerations": [_leaves("not-ready"), _leaves("unreachable")],
        "containers": [container],
        "volumes": [{"name": _VOLUME, "persistentVolumeClaim": {"claimName": address.claim}}],
    }
    if address.account:
        pod["serviceAccountName"] = address.account
    return pod


def _leaves(state: str) -> dict[str, Any]:
    """Return the patience with a node in a state; Kubernetes' own is five minutes."""
    return {
        "key": f"node.kubernetes.io/{state}",
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": _UNREACHABLE_S,
    }
