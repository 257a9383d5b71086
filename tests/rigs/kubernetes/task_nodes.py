"""Nodes of the fake that run the Jobs of tasks: real processes on a shared folder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.rigs.kubernetes.fake import FakeCluster
from tests.rigs.spread.namespace import kill_family

Json = dict[str, Any]
NODES = ("node-1", "node-2", "node-3")
_PAUSE_S = 0.05


class TaskNodes:
    """A controller of Jobs and three nodes with room for one pod each; a context manager.

    The container's command runs with the Python and the studio of this checkout, and the mount
    path of the claim is the shared folder.

    Attributes:
        started: Names of the Jobs in the order of their starts.
    """

    def __init__(self, cluster: FakeCluster, folder: Path, environment: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._folder = folder
        self._environment = dict(environment)
        self._processes: dict[str, tuple[str, subprocess.Popen[bytes]]] = {}
        self._dead: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        self.started: list[str] = []
        self.errors: list[str] = []

    def __enter__(self) -> TaskNodes:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)
        for name in list(self._processes):
            self._end(name)

    def kill(self, node: str) -> str:
        """Kill a node with its pod, which the control plane then evicts; returns the Job's name."""
        with self._cluster.store.lock:
            self._dead.add(node)
            name = next(one for one, (place, _) in self._processes.items() if place == node)
            self._end(name)
            key = ("pods", "default", f"{name}-x")
            pod = self._cluster.store.get(key)
            assert pod is not None
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            pod["status"] = {"phase": "Running", "reason": "NodeLost"}
            self._cluster.store.put(key, pod)
        return name

    @property
    def busy(self) -> list[str]:
        """Nodes that run a pod."""
        return [node for node, process in self._processes.values() if process.poll() is None]

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE_S):
            try:
                with self._cluster.store.lock:
                    self._look()
            except Exception as error:
                self.errors.append(repr(error))

    def _look(self) -> None:
        store = self._cluster.store
        jobs = {one["metadata"]["name"]: one for one in store.find("jobs", "default")}
        for name in [one for one in self._processes if one not in jobs]:
            self._end(name)
        for pod in store.find("pods", "default"):
            owner = pod["metadata"]["ownerReferences"][0]
            if owner["kind"] == "Job" and owner["name"] not in jobs:
                store.delete(("pods", "default", pod["metadata"]["name"]))
        for name, job in jobs.items():
            if not job.get("status"):
                self._advance(name, job)

    def _advance(self, name: str, job: Json) -> None:
        key = ("pods", "default", f"{name}-x")
        pod = self._cluster.store.get(key) or self._pod(name, job)
        if pod["metadata"].get("deletionTimestamp"):
            return
        if name not in self._processes:
            free = [one for one in NODES if one not in {*self.busy, *self._dead}]
            if not free:
                text = "0/3 nodes are available: 3 Insufficient cpu."
                waits = {"type": "PodScheduled", "status": "False", "message": text}
                pod["status"] = {"phase": "Pending", "conditions": [waits]}
            else:
                self._start(name, pod, free[0])
        else:
            status = self._processes[name][1].poll()
            if status is not None:
                self._finish(name, job, pod, status)
        if self._cluster.store.get(key) != pod:
            self._cluster.store.put(key, pod)

    def _pod(self, name: str, job: Json) -> Json:
        template = job["spec"]["template"]
        owner = {"kind": "Job", "name": name, "uid": job["metadata"]["uid"]}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{name}-x",
                "labels": template["metadata"]["labels"],
                "ownerReferences": [owner],
            },
            "spec": dict(template["spec"]),
            "status": {"phase": "Pending"},
        }

    def _start(self, name: str, pod: Json, node: str) -> None:
        [container] = pod["spec"]["containers"]
        mount = container["volumeMounts"][0]["mountPath"]
        words = [one.replace(mount, str(self._folder)) for one in container["command"][1:]]
        process = subprocess.Popen(
            [sys.executable, *words],
            env={**os.environ, **self._environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes[name] = (node, process)
        self.started.append(name)
        pod["spec"]["nodeName"] = node
        pod["status"] = {"phase": "Running"}

    def _finish(self, name: str, job: Json, pod: Json, status: int) -> None:
        kind = "Failed" if status else "Complete"
        ended = {"exitCode": status, "reason": "Error" if status else "Completed"}
        container = {"name": "task", "state": {"terminated": ended}}
        pod["status"] = {
            "phase": "Failed" if status else "Succeeded",
            "containerStatuses": [container],
        }
        job["status"] = {"conditions": [{"type": kind, "status": "True"}]}
        self._cluster.store.put(("jobs", "default", name), job)

    def _end(self, name: str) -> None:
        _, process = self._processes.pop(name)
        if process.poll() is None:
            kill_family(process.pid)
        process.wait()
