"""The changes of one target: endpoint, model, deployed model and traffic, each repeatable."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from studio.api import Parcel, Progress, TargetError
from studio_vertex.cloud import Cloud, Json
from studio_vertex.names import (
    AT,
    FAILED,
    OWNER,
    STATE,
    TARGET,
    ServeSettings,
    as_label,
    labels_of,
    model_id,
    now_label,
)
from studio_vertex.refusals import GoogleRefusal
from studio_vertex.snapshot import EndpointSnapshot, LiveDeployment, ReleaseEntry, poll

PREDICT, HEALTH, PORT = "/predict", "/health", 8080


class TrafficChange:
    """One change in progress.

    Google completes a requested change even when the studio is closed. A repeated change first
    waits for it, and then does only what is left.
    """

    def __init__(self, cloud: Cloud, progress: Progress, timeout_s: float) -> None:
        self._cloud = cloud
        self._progress = progress
        self._timeout_s = timeout_s

    def settle(self) -> None:
        """Wait for the end of an interrupted change."""
        name = self._cloud.address.name
        if self._cloud.find(f"v1/{name}", "Reading the endpoint") is None:
            return
        listed = self._cloud.pages(f"v1/{name}/operations", "operations", "Listing operations")
        for operation in [one for one in listed if not one.get("done")]:
            try:
                self._wait(operation, "Waiting for an earlier change")
            except GoogleRefusal as error:
                self._progress.log(error.message)

    def ensure_endpoint(self, owner: str) -> None:
        """Make the endpoint, or find it."""
        address = self._cloud.address
        if self._cloud.find(f"v1/{address.name}", "Reading the endpoint") is not None:
            return
        labels = {TARGET: address.endpoint, OWNER: as_label(owner)}
        body = {"displayName": address.endpoint, "labels": labels}
        query = {"endpointId": address.endpoint}
        path = f"v1/{address.parent}/endpoints"
        self._make("POST", path, "Making the endpoint", body, query)
        self._appear(f"v1/{address.name}", "Making the endpoint")

    def ensure_model(self, parcel: Parcel, wish: ServeSettings) -> ReleaseEntry:
        """Upload the model of a release, or find it."""
        address = self._cloud.address
        identifier = model_id(address.endpoint, parcel.digest, wish.image)
        path = f"v1/{address.parent}/models/{identifier}"
        if self._cloud.find(path, "Reading the model") is None:
            body = {"model": self._model(parcel, wish), "modelId": identifier}
            self._make("POST", f"v1/{address.parent}/models:upload", "Uploading the model", body)
            self._appear(path, "Uploading the model")
        return next(one for one in poll(self._cloud).held if one.model == identifier)

    def ensure_live(self, held: ReleaseEntry, wish: ServeSettings) -> LiveDeployment:
        """Deploy a release without traffic, or return its existing deployment."""
        found = _same(poll(self._cloud), held, wish)
        if found is not None:
            return found
        self._label(held, {STATE: ""}, "")
        address = self._cloud.address
        deployed = {
            "model": f"{address.parent}/models/{held.model}",
            "displayName": f"{held.name} {held.version}"[:128],
            "dedicatedResources": wish.resources,
            **({"serviceAccount": wish.service_account} if wish.service_account else {}),
        }
        what = f"Deploying version {held.version}"
        try:
            self._act(":deployModel", {"deployedModel": deployed}, what)
        except GoogleRefusal as error:
            self._label(held, {STATE: FAILED}, error.message)
            raise
        live = _same(poll(self._cloud), held, wish)
        if live is None:
            raise TargetError(f"{what} is done at Google, which does not list it.")
        return live

    def give(self, split: Mapping[str, int], held: ReleaseEntry, what: str) -> None:
        """Share the requests out, and write down that the release has had some."""
        self._progress.progress(0, 0, what)
        path = f"v1/{self._cloud.address.name}"
        query = {"updateMask": "trafficSplit"}
        self._cloud.call("PATCH", path, what, {"trafficSplit": dict(split)}, query=query)
        self._label(held, {AT: now_label(), STATE: ""}, "")

    def clear(self, history: EndpointSnapshot, keep: set[str]) -> None:
        """Undeploy releases without traffic."""
        left = [live.id for live in history.live]
        for live in history.live:
            if live.id in keep:
                continue
            left.remove(live.id)
            # One that has requests can only be ended when others take them, or when it is the last.
            split = {"trafficSplit": {left[-1]: 100}} if live.traffic and left else {}
            body = {"deployedModelId": live.id, **split}
            self._act(":undeployModel", body, "The previous release stops")

    def delete(self, path: str, what: str) -> None:
        """Delete a resource; one that is gone is as good."""
        try:
            operation = self._cloud.call("DELETE", f"v1/{path}", what)
        except GoogleRefusal as error:
            if error.reason != "NOT_FOUND":
                raise
            return
        self._wait(operation, what)

    def _model(self, parcel: Parcel, wish: ServeSettings) -> Json:
        """Return the model with its container's contract, as models:upload takes it."""
        container = {
            "imageUri": wish.image,
            "args": ["serve"],
            "predictRoute": PREDICT,
            "healthRoute": HEALTH,
            "ports": [{"containerPort": PORT}],
        }
        return {
            "displayName": parcel.name[:128],
            "versionDescription": parcel.owner,
            "containerSpec": container,
            "labels": labels_of(self._cloud.address.endpoint, parcel),
        }

    def _act(self, verb: str, body: Mapping[str, Any], what: str) -> None:
        path = f"v1/{self._cloud.address.name}{verb}"
        self._wait(self._cloud.call("POST", path, what, body), what)

    def _make(
        self,
        method: str,
        path: str,
        what: str,
        body: Mapping[str, Any],
        query: Mapping[str, object] | None = None,
    ) -> None:
        """Make something with an ID of ours; one that an interrupted change makes is as good."""
        self._progress.progress(0, 0, what)
        try:
            operation = self._cloud.call(method, path, what, body, query=query)
        except GoogleRefusal as error:
            if error.reason != "ALREADY_EXISTS":
                raise
            return
        self._wait(operation, what)

    def _appear(self, path: str, what: str) -> None:
        began = time.monotonic()
        while self._cloud.find(path, what) is None:
            if time.monotonic() - began > min(self._timeout_s, 300):
                raise TargetError(f"{what} has not come to an end at Google; deploy again later.")
            self._progress.check()
            time.sleep(self._cloud.poll_s)

    def _wait(self, operation: Json, what: str) -> None:
        self._cloud.wait(operation, what, self._progress, self._timeout_s)

    def _label(self, held: ReleaseEntry, labels: Mapping[str, str], reason: str) -> None:
        """Write the state of a release to its model; an empty label is removed."""
        path = f"v1/{self._cloud.address.parent}/models/{held.model}"
        model = self._cloud.get(path, "Reading the model")
        merged = {k: v for k, v in {**(model.get("labels") or {}), **labels}.items() if v}
        body = {"labels": merged, "description": reason[:1000]}
        query = {"updateMask": "labels,description"}
        self._cloud.call("PATCH", path, "Writing the state of a release", body, query=query)


def _same(
    history: EndpointSnapshot, held: ReleaseEntry, wish: ServeSettings
) -> LiveDeployment | None:
    """Return a deployed model of a release with the wanted settings."""
    for live in history.live:
        if live.model == held.model and is_as_wished(live, wish):
            return live
    return None


def is_as_wished(live: LiveDeployment, wish: ServeSettings) -> bool:
    """Return whether machines, numbers and account match the settings; Google adds defaults."""
    spec, wanted = (dict(one.get("machineSpec") or {}) for one in (live.resources, wish.resources))
    keys = ("machineType", "acceleratorType", "acceleratorCount")
    numbers = ("minReplicaCount", "maxReplicaCount", "autoscalingMetricSpecs")
    return (
        all(spec.get(key) == wanted.get(key) for key in keys)
        and all(live.resources.get(key) == wish.resources.get(key) for key in numbers)
        and live.service_account == wish.service_account
    )
