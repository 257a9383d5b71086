"""A cluster's API through the official client, with a bound on every wait."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kubernetes import client as k8s
from urllib3.exceptions import (
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    SSLError,
    TimeoutError,
)

from studio.api import TargetError
from studio_kubernetes.cluster.kinds import ApiKind
from studio_kubernetes.cluster.refusals import ApiRefusal, refusal
from studio_kubernetes.manifests.names import MANAGER
from studio_kubernetes.manifests.workload import Json

_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_PAUSE_S = 0.3


class ClusterUnreachable(TargetError):
    """The cluster was not reached, or did not answer in time."""


class Cluster:
    """Objects of one namespace: read, applied, watched and deleted.

    Args:
        api: The client of one kubeconfig context.
        patience_s: For one answer.

    Every method raises ApiRefusal for a refusal, and ClusterUnreachable where nothing answers.
    """

    def __init__(self, api: k8s.ApiClient, namespace: str, patience_s: float) -> None:
        self.api = api
        self.namespace = namespace
        self.patience_s = patience_s
        self._absence_s = 0.0

    @contextmanager
    def bearing(self, seconds: float) -> Iterator[None]:
        """Retry connections that are refused within this time, as by a restarting server.

        Whatever is sent may be sent twice: reads, deletions, and applying what is wanted.
        """
        self._absence_s = seconds
        try:
            yield
        finally:
            self._absence_s = 0.0

    def version(self) -> str:
        """Return the server's version (``v1.33.2``)."""
        return str(self._json("GET", "/version", "the version").get("gitVersion", ""))

    def get(self, kind: ApiKind, name: str) -> Json | None:
        """Return one object, or None if it does not exist."""
        try:
            return self._json("GET", kind.path(self.namespace, name), f"{kind.kind} {name}")
        except ApiRefusal as error:
            if error.status == 404:
                return None
            raise

    def find(self, kind: ApiKind, labels: str = "") -> list[Json]:
        """Return the objects with labels (``a=b,c=d``), or none of an unknown kind."""
        query = {"labelSelector": labels} if labels else {}
        try:
            found = self._json("GET", kind.path(self.namespace), f"the {kind.plural}", query)
        except ApiRefusal as error:
            if error.status == 404 or (kind.optional and error.status == 403):
                return []
            raise
        head = {"apiVersion": kind.api, "kind": kind.kind}  # lists leave it out of their items
        return [{**head, **item} for item in found.get("items") or []]

    def serves(self, kind: ApiKind) -> bool:
        """Return whether the cluster knows a kind at all."""
        group = f"/apis/{kind.api}" if "/" in kind.api else f"/api/{kind.api}"
        try:
            found = self._json("GET", group, f"the API {kind.api}")
        except ApiRefusal as error:
            if error.status in (403, 404):
                return False
            raise
        return any(one.get("name") == kind.plural for one in found.get("resources") or [])

    def knows(self, path: str) -> bool:
        """Return whether something answers at a path of the API."""
        try:
            self._json("GET", path, path)
        except ApiRefusal as error:
            if error.status in (403, 404):
                return False
            raise
        return True

    def create(self, path: str, body: Json, what: str) -> Json:
        """Send an object to a path (a review, which the cluster answers and does not keep)."""
        return self._json("POST", path, what, body=body, media="application/json")

    def apply(
        self, kind: ApiKind, manifest: Json, *, force: bool = False, dry_run: bool = False
    ) -> Json:
        """Apply an object on the server under our field manager; a dry run stores nothing."""
        query = {"fieldManager": MANAGER, "force": "true" if force else "false"}
        if dry_run:
            query["dryRun"] = "All"
        name = manifest["metadata"]["name"]
        return self._json(
            "PATCH",
            kind.path(self.namespace, name),
            f"{kind.kind} {name}",
            query,
            body=manifest,
            media=_APPLY,
        )

    def scale(self, kind: ApiKind, name: str, replicas: int) -> None:
        """Set the number of replicas."""
        self._json(
            "PATCH",
            kind.path(self.namespace, name, "scale"),
            f"the scale of {kind.kind} {name}",
            {"fieldManager": MANAGER},
            body={"spec": {"replicas": replicas}},
            media=_MERGE,
        )

    def delete(self, kind: ApiKind, name: str) -> bool:
        """Delete an object and what it owns; false where there was none."""
        query = {"propagationPolicy": "Background"}
        try:
            self._json("DELETE", kind.path(self.namespace, name), f"{kind.kind} {name}", query)
        except ApiRefusal as error:
            if error.status == 404:
                return False
            raise
        return True

    def wait_for_change(self, kind: ApiKind, seen: Json, seconds: int) -> None:
        """Wait until an object differs from its last state, or the time is up."""
        meta = seen["metadata"]
        query = {
            "watch": "true",
            "fieldSelector": f"metadata.name={meta['name']}",
            "resourceVersion": meta.get("resourceVersion", ""),
            "timeoutSeconds": str(seconds),
        }
        response = self._send(
            "GET", kind.path(self.namespace), f"the {kind.plural}", query, wait_s=seconds + 2
        )
        try:
            next(response.stream(65536), b"")
        except (HTTPError, OSError):
            return  # the watch ended; the caller polls again
        finally:
            response.close()

    def log(self, pod: str, container: str, lines: int, previous: bool = False) -> list[str]:
        """Return the last lines of a container's log."""
        query = {"container": container, "tailLines": str(lines)}
        if previous:
            query["previous"] = "true"
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"
        text: bytes = self._send("GET", path, f"the log of pod {pod}", query).data
        return text.decode("utf-8", "replace").splitlines()

    def close(self) -> None:
        """End the connections."""
        self.api.rest_client.pool_manager.clear()

    def _json(self, *request: Any, **rest: Any) -> Json:
        response = self._send(*request, **rest)
        try:
            found = json.loads(response.data)
        except (ValueError, HTTPError) as error:
            raise ClusterUnreachable(
                "What answers is not the API of a cluster.", detail=str(error)
            ) from None
        return found if isinstance(found, dict) else {}

    def _send(
        self,
        method: str,
        path: str,
        what: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Json | None = None,
        media: str = "",
        wait_s: float | None = None,
    ) -> Any:
        """Return the response, whose status is checked."""
        headers = {"Accept": "application/json", **({"Content-Type": media} if media else {})}
        verb, url, sent, payload, form = self.api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        timeout = (self.patience_s, wait_s or self.patience_s)
        began = time.monotonic()
        while True:
            try:
                answer = self.api.call_api(verb, url, sent, payload, form, timeout).response
                data = b"" if wait_s and answer.status < 300 else answer.data
            except k8s.ApiException as error:
                raise refusal(error.status or 0, error.body or "", what) from None
            except (HTTPError, OSError) as error:
                if not _is_away(error) or time.monotonic() - began >= self._absence_s:
                    raise _silence(self._host(), error, self.patience_s) from None
                time.sleep(_PAUSE_S)
                continue
            if 200 <= answer.status < 300:
                return answer
            later = _later(answer)
            if not later or time.monotonic() - began >= max(self._absence_s, self.patience_s):
                raise refusal(answer.status, data, what)
            time.sleep(later)

    def _host(self) -> str:
        return str(self.api.configuration.host)


def _later(answer: Any) -> float:
    """Return the seconds after which a busy server accepts a retry, or 0 if it gives none."""
    after = str(answer.headers.get("Retry-After") or "")
    return min(float(after), 5.0) if answer.status in (429, 503) and after.isdigit() else 0.0


def _is_away(error: Exception) -> bool:
    """Return whether the connection was refused or broke, which a late answer is not."""
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    return isinstance(cause, (NewConnectionError, ProtocolError))


def _silence(host: str, error: Exception, patience_s: float) -> ClusterUnreachable:
    cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    detail = str(error)
    if isinstance(cause, SSLError):
        return ClusterUnreachable(
            f"The certificate of {host} is not the one that the kubeconfig expects.", detail=detail
        )
    if isinstance(cause, TimeoutError) and not isinstance(cause, NewConnectionError):
        return ClusterUnreachable(
            f"The cluster at {host} did not answer within {patience_s:g} s.",
            hint="Check the network connection or the VPN.",
            detail=detail,
        )
    return ClusterUnreachable(
        f"The cluster at {host} is not reachable.",
        hint="Check that the cluster is running and the context is correct.",
        detail=detail,
    )
