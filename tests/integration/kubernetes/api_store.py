"""The real API server under the fake's controllers, which the rig has none of its own."""

from __future__ import annotations

import threading
from typing import Any

from kubernetes import client

Json = dict[str, Any]
Key = tuple[str, str, str]


class ApiStore:
    """What the controllers need of a store, by the official client.

    Attributes:
        namespaces: Those that are looked after.
    """

    def __init__(self, api: client.ApiClient) -> None:
        self.lock = threading.RLock()
        self.namespaces: set[str] = set()
        self._api = api
        self._core = client.CoreV1Api(api)
        self._apps = client.AppsV1Api(api)

    def find(self, plural: str, namespace: str) -> list[Json]:
        """All of a kind."""
        ask = {
            "pods": self._core.list_namespaced_pod,
            "deployments": self._apps.list_namespaced_deployment,
        }[plural]
        return [self._plain(one) for one in ask(namespace).items]

    def get(self, key: Key) -> Json | None:
        """One object."""
        plural, namespace, name = key
        ask = {
            "configmaps": self._core.read_namespaced_config_map,
            "deployments": self._apps.read_namespaced_deployment,
        }[plural]
        try:
            return self._plain(ask(name, namespace))
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise

    def put(self, key: Key, manifest: Json) -> Json:
        """Make a pod, or note the status of what exists."""
        plural, namespace, name = key
        status = {"status": manifest.get("status") or {}}
        if plural == "deployments":
            done = self._apps.patch_namespaced_deployment_status(name, namespace, status)
            return self._plain(done)
        if "uid" not in manifest["metadata"]:
            meta = manifest["metadata"]
            owner = {**meta["ownerReferences"][0], "apiVersion": "apps/v1", "name": name}
            manifest = {**manifest, "metadata": {**meta, "ownerReferences": [owner]}}
            self._core.create_namespaced_pod(namespace, manifest)
        # Not a merge: a condition that is gone must not stay.
        path = [{"op": "add", "path": "/status", "value": status["status"]}]
        return self._plain(self._core.patch_namespaced_pod_status(name, namespace, path))

    def delete(self, key: Key) -> None:
        """End a pod."""
        try:
            self._core.delete_namespaced_pod(key[2], key[1], grace_period_seconds=0)
        except client.ApiException as error:
            if error.status != 404:
                raise

    def _plain(self, model: Any) -> Json:
        found: Json = self._api.sanitize_for_serialization(model)
        found.setdefault("status", {})
        return found
