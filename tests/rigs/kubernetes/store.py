"""Objects of the fake: kept by kind, namespace and name, with versions and watchers."""

from __future__ import annotations

import copy
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str, str]

KINDS = {
    "pods": ("v1", "Pod"),
    "services": ("v1", "Service"),
    "configmaps": ("v1", "ConfigMap"),
    "persistentvolumeclaims": ("v1", "PersistentVolumeClaim"),
    "events": ("v1", "Event"),
    "resourcequotas": ("v1", "ResourceQuota"),
    "deployments": ("apps/v1", "Deployment"),
    "jobs": ("batch/v1", "Job"),
    "horizontalpodautoscalers": ("autoscaling/v2", "HorizontalPodAutoscaler"),
    "poddisruptionbudgets": ("policy/v1", "PodDisruptionBudget"),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy"),
    "ingresses": ("networking.k8s.io/v1", "Ingress"),
    "httproutes": ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    "inferenceservices": ("serving.kserve.io/v1beta1", "InferenceService"),
    "llminferenceservices": ("serving.kserve.io/v1alpha2", "LLMInferenceService"),
}


class ApiFailure(Exception):
    """What the API answers instead of an object."""

    def __init__(
        self, code: int, reason: str, message: str, causes: list[Json] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = {
            "apiVersion": "v1",
            "kind": "Status",
            "status": "Failure",
            "code": code,
            "reason": reason,
            "message": message,
            "details": {"causes": causes or []},
        }


class Store:
    """All objects; ``lock`` guards them and wakes watchers."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.namespaces = {"default", "other"}
        self._objects: dict[Key, Json] = {}
        self._version = 100
        self._log: list[tuple[int, str, Key, Json]] = []

    def get(self, key: Key) -> Json | None:
        """A copy of an object."""
        with self.lock:
            found = self._objects.get(key)
            return copy.deepcopy(found)

    def find(self, plural: str, namespace: str, labels: str = "") -> list[Json]:
        """Copies of those of a kind that have labels."""
        wanted = dict(part.split("=", 1) for part in labels.split(",") if part)
        with self.lock:
            return [
                copy.deepcopy(one)
                for (kind, space, _), one in sorted(self._objects.items())
                if kind == plural
                and space == namespace
                and wanted.items() <= (one["metadata"].get("labels") or {}).items()
            ]

    def put(self, key: Key, manifest: Json) -> Json:
        """Keep an object, with what the server itself writes into its metadata."""
        with self.lock:
            old = self._objects.get(key)
            new = stamped(copy.deepcopy(manifest), old, key)
            self._version += 1
            new["metadata"]["resourceVersion"] = str(self._version)
            self._objects[key] = new
            self._note("MODIFIED" if old else "ADDED", key, new)
            return copy.deepcopy(new)

    def delete(self, key: Key) -> Json | None:
        """Forget an object."""
        with self.lock:
            old = self._objects.pop(key, None)
            if old is not None:
                self._version += 1
                self._note("DELETED", key, old)
            return old

    @property
    def version(self) -> str:
        """Of the newest change."""
        return str(self._version)

    def changes(self, plural: str, namespace: str, after: int, seconds: float) -> Iterator[Json]:
        """What happens to objects of a kind, until the time is up."""
        deadline = time.monotonic() + seconds
        while True:
            with self.lock:
                news = [row for row in self._log if row[0] > after]
                if not news and not self.lock.wait(max(0.0, deadline - time.monotonic())):
                    return
            for version, what, key, one in news:
                after = version
                if key[:2] == (plural, namespace):
                    yield {"type": what, "object": one}
            if time.monotonic() >= deadline:
                return

    def _note(self, what: str, key: Key, one: Json) -> None:
        self._log.append((self._version, what, key, copy.deepcopy(one)))
        self.lock.notify_all()


def stamped(new: Json, old: Json | None, key: Key) -> Json:
    """An object with its identity, age and generation."""
    meta = new["metadata"]
    meta["namespace"] = key[1]
    if old is None:
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        meta["generation"] = 1
        return new
    meta["uid"] = old["metadata"]["uid"]
    meta["creationTimestamp"] = old["metadata"]["creationTimestamp"]
    changed = new.get("spec") != old.get("spec")
    meta["generation"] = old["metadata"].get("generation", 1) + changed
    return new
