"""The changes of one target: environment, endpoint, deployment and traffic, each repeatable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from studio.api import Parcel, Progress, TargetError
from studio_azureml.cloud import INSIGHTS, Cloud, Json, state_of
from studio_azureml.refusals import AzureRefusal
from studio_azureml.snapshot import (
    AT,
    CANARY,
    ENVIRONMENT,
    MOST,
    NAME,
    OWNER,
    REASON,
    RELEASE,
    SLOTS,
    TARGET,
    VERSION,
    EndpointSnapshot,
    LiveDeployment,
    ReleaseEntry,
    poll,
)

_PORT = 8477
"""Port of the studio's images, unless the platform chooses another."""


LONGEST_S = 180
"""Seconds that Azure waits for an answer at most."""

_WAITING = 16
"""Requests that wait in the server for a slot, next to those that have one."""


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Serving settings of a release."""

    image: str
    instance: str
    count: int
    most: int
    scale_at: int
    auth: str
    timeout_s: float

    @staticmethod
    def of(parcel: Parcel, options: Mapping[str, Any]) -> ServeSettings:
        """Return the settings in the options of a deploy."""
        image = str(options.get("image") or "")
        for key, value in (("{name}", parcel.name), ("{version}", str(parcel.version))):
            image = image.replace(key, value)
        count, most = int(options["instances"]), int(options["max_instances"])
        return ServeSettings(
            image,
            str(options["instance_type"]),
            count,
            most if most > count else 0,
            int(options["scale_at"]),
            str(options["auth"]),
            float(options["timeout_s"]),
        )


def slots_of(parcel: Parcel) -> int:
    """Return how many prompts a language model answers at the same time; 0 for other models."""
    given = dict(parcel.manifest.get("generation") or {})
    return int(given.get("slots") or 1) if given else 0


def _request_settings(slots: str) -> Json:
    """Return the limits of requests to a language model, of which Azure allows one for 5 s."""
    if not slots:
        return {}
    limits = {
        "maxConcurrentRequestsPerInstance": int(slots) + _WAITING,
        "maxQueueWait": "PT60S",
        "requestTimeout": f"PT{LONGEST_S}S",
    }
    return {"requestSettings": limits}


def environment_version(digest: str, image: str) -> str:
    """Return the version name of a release, the same for a repeated deploy."""
    return f"{digest[:12]}-{hashlib.sha256(image.encode()).hexdigest()[:6]}"


def deployment_name(version: str, wish: ServeSettings) -> str:
    """Return the deployment name of a release on such machines."""
    values = [version, wish.instance, wish.count, wish.most, wish.scale_at if wish.most else 0]
    return f"r{version[:10]}-{hashlib.sha256(json.dumps(values).encode()).hexdigest()[:6]}"


class TrafficChange:
    """One change in progress, which Azure completes even when the studio is closed."""

    def __init__(self, cloud: Cloud, progress: Progress, timeout_s: float) -> None:
        self._cloud = cloud
        self._progress = progress
        self._timeout_s = timeout_s

    def settle(self) -> None:
        """Wait for the end of an interrupted change."""
        self._settle(self._cloud.address.name)

    def ensure_environment(self, parcel: Parcel, wish: ServeSettings) -> ReleaseEntry:
        """Write the release down, or find it."""
        version = environment_version(parcel.digest, wish.image)
        path = f"{self._cloud.address.environment}/versions/{version}"
        if self._cloud.find(path, "Reading the release") is None:
            tags = {
                TARGET: self._cloud.address.endpoint,
                RELEASE: parcel.digest,
                NAME: parcel.name,
                VERSION: str(parcel.version),
                OWNER: parcel.owner[:256],
                **({SLOTS: str(slots)} if (slots := slots_of(parcel)) else {}),
            }
            routes = {
                "livenessRoute": {"path": "/v2/health/live", "port": _PORT},
                "readinessRoute": {"path": "/v2/health/ready", "port": _PORT},
                "scoringRoute": {"path": "/score", "port": _PORT},
            }
            body = {
                "image": wish.image,
                "osType": "Linux",
                "inferenceConfig": routes,
                "tags": tags,
            }
            self._change("PUT", path, "Making the environment", {"properties": body})
        return next(one for one in poll(self._cloud).held if one.id.endswith(f"/{version}"))

    def ensure_endpoint(self, history: EndpointSnapshot, owner: str, auth: str) -> None:
        """Make the endpoint, or find it; one that failed is made again."""
        if history.endpoint is not None and state_of(history.endpoint) == "Succeeded":
            return
        address = self._cloud.address
        body = {
            "location": history.location,
            "identity": {"type": "SystemAssigned"},
            "tags": {TARGET: address.endpoint, OWNER: owner[:256]},
            "properties": {"authMode": auth},
        }
        self._change("PUT", address.name, "Making the endpoint", body)

    def ensure_live(self, held: ReleaseEntry, wish: ServeSettings, location: str) -> LiveDeployment:
        """Deploy a release without traffic, or return its existing deployment."""
        name = deployment_name(held.id.rpartition("/")[2], wish)
        path = f"{self._cloud.address.name}/deployments/{name}"
        what = f"Deploying version {held.version}"
        found = self._settle(path, what)
        # A failed deployment is deleted first, because the new one has the same name.
        if found is not None and state_of(found) != "Succeeded":
            self._change("DELETE", path, "Clearing a deployment that failed")
            found = None
        if found is None:
            self._deploy(held, wish, location, path, what)
        self._scale(name, path, wish, location)
        return next(one for one in poll(self._cloud).live if one.name == name)

    def give(
        self, split: Mapping[str, int], held: ReleaseEntry, canary: str = "", mirror: int = 0
    ) -> None:
        """Share the requests out, and write down that the release has had some."""
        address = self._cloud.address
        # A PUT replaces the whole endpoint, so its other fields are sent again.
        endpoint = self._cloud.call("GET", address.name, "Reading the endpoint")
        tags = {k: v for k, v in (endpoint.get("tags") or {}).items() if k != CANARY}
        properties = {
            "authMode": endpoint["properties"]["authMode"],
            "traffic": dict(split),
            "mirrorTraffic": {canary: mirror} if mirror else {},
        }
        body = {
            "location": endpoint["location"],
            "identity": {"type": "SystemAssigned"},
            "tags": tags | ({CANARY: canary} if canary else {}),
            "properties": properties,
        }
        self._change("PUT", address.name, f"Sharing the requests: {dict(split)}", body)
        self._tag(held, {AT: datetime.now(UTC).isoformat(), REASON: ""})

    def clear(self, history: EndpointSnapshot, keep: set[str]) -> None:
        """Delete what gets no requests any more, and its autoscale setting first."""
        address = self._cloud.address
        for live in history.live:
            if live.name in keep:
                continue
            setting = address.autoscale(live.name)
            if live.most:
                what = "Deleting an autoscale setting"
                self._forget(setting, what)
            path = f"{address.name}/deployments/{live.name}"
            self._change("DELETE", path, "The previous release stops")

    def stop(self) -> None:
        """Take the requests away from everything, so that it may be deleted."""
        history = poll(self._cloud)
        held = history.of(history.serving) or history.of(history.canary)
        if held is not None:
            self.give({}, held)
        self.clear(history, set())

    def purge(self, history: EndpointSnapshot) -> None:
        """Delete the endpoint and the record of releases."""
        address = self._cloud.address
        if history.endpoint is not None:
            self._change("DELETE", address.name, "Deleting the endpoint")
        for held in history.held:
            path = f"{address.environment}/versions/{held.id.rpartition('/')[2]}"
            self._change("DELETE", path, "Deleting a release")
        if history.held:
            self._change("DELETE", address.environment, "Deleting the environment")

    def _deploy(
        self, held: ReleaseEntry, wish: ServeSettings, location: str, path: str, what: str
    ) -> None:
        tags = {
            TARGET: self._cloud.address.endpoint,
            RELEASE: held.release,
            OWNER: held.tags.get(OWNER, ""),
            ENVIRONMENT: held.id.rpartition("/")[2],
            **({MOST: str(wish.most)} if wish.most else {}),
        }
        properties = {
            "endpointComputeType": "Managed",
            "environmentId": held.id,
            "instanceType": wish.instance,
            "scaleSettings": {"scaleType": "Default"},
            **_request_settings(held.tags.get(SLOTS, "")),
        }
        sku = {"name": "Default", "capacity": wish.count}
        body = {"location": location, "sku": sku, "tags": tags, "properties": properties}
        try:
            self._change("PUT", path, what, body)
            found = self._cloud.find(path, what)
            if found is None or state_of(found) != "Succeeded":
                raise TargetError(f"{what} failed, and Azure does not say why.")
        except TargetError as error:
            if not isinstance(error, AzureRefusal) or error.status not in (401, 429, 503):
                self._tag(held, {REASON: error.message[:256]})
            raise

    def _scale(self, name: str, path: str, wish: ServeSettings, location: str) -> None:
        if not wish.most:
            return
        tags = {TARGET: self._cloud.address.endpoint}
        body = autoscale(path, location, wish.count, wish.most, wish.scale_at, tags)
        setting, what = self._cloud.address.autoscale(name), "Setting the autoscaling"
        self._cloud.call("PUT", setting, what, body, version=INSIGHTS)

    def _tag(self, held: ReleaseEntry, tags: Mapping[str, str]) -> None:
        """Write the state of a release to its environment; an empty tag is removed."""
        path = f"{self._cloud.address.environment}/versions/{held.id.rpartition('/')[2]}"
        what = "Writing the state of a release"
        properties: Json = dict(self._cloud.call("GET", path, what)["properties"])
        merged: Json = {**(properties.get("tags") or {}), **tags}
        kept: Json = {
            k: properties[k] for k in ("image", "osType", "inferenceConfig") if k in properties
        }
        left = {k: v for k, v in merged.items() if v}
        body: Json = {**kept, "tags": left}
        self._cloud.call("PUT", path, what, {"properties": body})

    def _forget(self, path: str, what: str) -> None:
        try:
            self._cloud.call("DELETE", path, what, version=INSIGHTS)
        except AzureRefusal as error:
            if error.status != 404:
                raise

    def _settle(self, path: str, what: str = "Waiting for an earlier change") -> Json | None:
        return self._cloud.settle(path, what, self._progress, self._timeout_s)

    def _change(self, method: str, path: str, what: str, body: Json | None = None) -> None:
        self._progress.progress(0, 0, what)
        try:
            self._cloud.change(method, path, what, self._progress, self._timeout_s, body)
        except AzureRefusal as error:
            if method != "DELETE" or error.status != 404:
                raise


def autoscale(
    path: str, location: str, least: int, most: int, load: int, tags: Mapping[str, str]
) -> dict[str, Any]:
    """Return a rule: one instance more above a CPU load in percent, one less below half of it."""
    capacity = {"minimum": str(least), "maximum": str(most), "default": str(least)}
    rules = [
        _rule(path, "GreaterThan", load, "Increase"),
        _rule(path, "LessThan", load // 2, "Decrease"),
    ]
    profile = {"name": "load", "capacity": capacity, "rules": rules}
    properties = {"enabled": True, "targetResourceUri": path, "profiles": [profile]}
    return {"location": location, "tags": dict(tags), "properties": properties}


def _rule(path: str, operator: str, threshold: int, direction: str) -> dict[str, Any]:
    trigger = {
        "metricName": "CpuUtilizationPercentage",
        "metricResourceUri": path,
        "timeGrain": "PT1M",
        "statistic": "Average",
        "timeWindow": "PT5M",
        "timeAggregation": "Average",
        "operator": operator,
        "threshold": threshold,
    }
    action = {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT5M"}
    return {"metricTrigger": trigger, "scaleAction": action}
