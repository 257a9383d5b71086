"""The fake's controllers: Deployments become pods, pods become ready, orphans end."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

from tests.rigs.kubernetes.node import Node

Json = dict[str, Any]


class Controller:
    """Looks at everything again and again, as controllers do.

    Attributes:
        broken: Image -> how its pods fare: a reason of waiting, ``unschedulable`` or ``slow``.
        pod_quota: Pods that a namespace may have; None for any number.
        last_error: What a look failed with.

    Args:
        store: The fake's store, or anything that has its find, get, put and delete.
    """

    def __init__(self, store: Any, node: Node, pause_s: float = 0.03) -> None:
        self.store = store
        self.node = node
        self._pause_s = pause_s
        self.broken: dict[str, str] = {}
        self.pod_quota: int | None = None
        self.last_error: Exception | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="controllers", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End, with everything that runs on the node."""
        self._stopping.set()
        self._thread.join(10)
        self.node.stop()

    def _run(self) -> None:
        while not self._stopping.wait(self._pause_s):
            for namespace in list(self.store.namespaces):
                try:
                    self._look(namespace)
                except Exception as error:  # the API is away, or an object changed meanwhile
                    self.last_error = error

    def _look(self, namespace: str) -> None:
        deployments = self.store.find("deployments", namespace)
        alive = {one["metadata"]["uid"] for one in deployments}
        for pod in self.store.find("pods", namespace):
            owner = pod["metadata"]["ownerReferences"][0]
            if owner["kind"] == "Deployment" and owner["uid"] not in alive:
                self.store.delete(("pods", namespace, pod["metadata"]["name"]))
        for deployment in deployments:
            self._reconcile(namespace, deployment)

    def _reconcile(self, namespace: str, deployment: Json) -> None:
        meta, spec = deployment["metadata"], deployment["spec"]
        template = hashlib.sha256(json.dumps(spec["template"], sort_keys=True).encode())
        code = template.hexdigest()[:8]
        pods = [
            pod
            for pod in self.store.find("pods", namespace)
            if pod["metadata"]["ownerReferences"][0]["uid"] == meta["uid"]
        ]
        new = [pod for pod in pods if pod["metadata"]["labels"]["pod-template-hash"] == code]
        old = [pod for pod in pods if pod not in new]
        failure = self._fill(namespace, deployment, code, new)
        ready = [self._advance(namespace, pod) for pod in new]
        surplus = new[spec["replicas"] :]
        if sum(ready) >= spec["replicas"]:
            surplus += old
        for pod in surplus:
            self.store.delete(("pods", namespace, pod["metadata"]["name"]))
        self._report(namespace, deployment, (len(pods), len(new), sum(ready), len(old)), failure)

    def _fill(self, namespace: str, deployment: Json, code: str, new: list[Json]) -> str:
        """Make the pods that are missing; what stands against it otherwise."""
        meta, spec = deployment["metadata"], deployment["spec"]
        for number in range(len(new), spec["replicas"]):
            total = len(self.store.find("pods", namespace))
            if self.pod_quota is not None and total >= self.pod_quota:
                return (
                    f'pods "{meta["name"]}-{code}-x" is forbidden: exceeded quota: small, '
                    f"requested: pods=1, used: pods={total}, limited: pods={self.pod_quota}"
                )
            name = f"{meta['name']}-{code}-{number}"
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "labels": {**spec["template"]["metadata"]["labels"], "pod-template-hash": code},
                    "ownerReferences": [{"kind": "Deployment", "uid": meta["uid"]}],
                },
                "spec": spec["template"]["spec"],
                "status": {"phase": "Pending"},
            }
            new.append(self.store.put(("pods", namespace, name), pod))
        return ""

    def _advance(self, namespace: str, pod: Json) -> bool:
        """Give a pod the state that it would have now; whether it is ready."""
        status = self._status(namespace, pod)
        if status != pod["status"]:
            pod["status"] = status
            self.store.put(("pods", namespace, pod["metadata"]["name"]), pod)
        return any(one["type"] == "Ready" for one in status.get("conditions", []))

    def _status(self, namespace: str, pod: Json) -> Json:
        image = pod["spec"]["containers"][0]["image"]
        fate = self.broken.get(image, "")
        if fate == "unschedulable":
            text = "0/1 nodes are available: 1 Insufficient cpu."
            scheduled = {"type": "PodScheduled", "reason": "Unschedulable", "message": text}
            return {"phase": "Pending", "conditions": [scheduled]}
        if fate == "slow":
            return {"phase": "Pending"}
        if fate:
            return _waiting(fate, f"{fate} of {image}")
        server = self.node.start(pod, lambda name: self._config_map(namespace, name))
        if server is None:
            return _waiting("ImagePullBackOff", f'Back-off pulling image "{image}"')
        if (status := server.exit_status()) is not None:
            return _waiting("CrashLoopBackOff", "back-off restarting", status)
        if not server.ready():
            return {"phase": "Running"}
        return {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}

    def _config_map(self, namespace: str, name: str) -> Json:
        return self.store.get(("configmaps", namespace, name)) or {}

    def log(self, pod: Json) -> str:
        """What a pod's container wrote."""
        server = self.node.of(pod)
        return Path(server.log).read_text(errors="replace") if server else ""

    def _report(
        self, namespace: str, deployment: Json, counts: tuple[int, int, int, int], failure: str
    ) -> None:
        total, new, ready, old = counts
        gone = old if ready >= deployment["spec"]["replicas"] else 0
        status: Json = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": max(new, total - gone),
            "updatedReplicas": new,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "conditions": [],
        }
        if failure:
            condition = {"type": "ReplicaFailure", "status": "True", "message": failure}
            status["conditions"] = [condition]
        key = ("deployments", namespace, deployment["metadata"]["name"])
        with self.store.lock:
            now = self.store.get(key)
            same = now and now["metadata"]["uid"] == deployment["metadata"]["uid"]
            if now and same and now.get("status") != status:
                now["status"] = status
                self.store.put(key, now)


def _waiting(reason: str, message: str, status: int | None = None) -> Json:
    one: Json = {"name": "server", "state": {"waiting": {"reason": reason, "message": message}}}
    if status is not None:
        one["lastState"] = {"terminated": {"exitCode": status}}
    return {"phase": "Pending", "containerStatuses": [one]}
