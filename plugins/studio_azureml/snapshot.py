"""Snapshot of one target: its endpoint, its releases and its deployments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import PlatformRelease, Resource, TargetError
from studio_azureml.cloud import Cloud, Json, state_of
from studio_azureml.prices import cost_per_hour

TARGET, RELEASE, NAME, VERSION = (
    f"edgewright-{name}" for name in ("target", "release", "name", "version")
)
SLOTS = "edgewright-slots"
"""Tag of a language model: how many prompts it answers at the same time."""

OWNER, AT, REASON, CANARY, ENVIRONMENT, MOST = (
    f"edgewright-{name}" for name in ("owner", "at", "reason", "canary", "environment", "most")
)


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """One release: a version of the target's environment.

    Attributes:
        at: When it was last given requests, ISO 8601; empty before.
    """

    id: str
    properties: Mapping[str, Any]
    tags: Mapping[str, str]
    since: str

    @property
    def release(self) -> str:
        return self.tags.get(RELEASE, "")

    @property
    def version(self) -> int:
        return int(self.tags.get(VERSION) or 0)

    @property
    def image(self) -> str:
        return str(self.properties.get("image") or "")

    @property
    def at(self) -> str:
        return self.tags.get(AT, "")


@dataclass(frozen=True, slots=True)
class LiveDeployment:
    """One deployment of the endpoint."""

    name: str
    environment: str
    traffic: int
    instance: str
    count: int
    most: int
    state: str
    since: str


@dataclass(frozen=True, slots=True)
class EndpointSnapshot:
    """All of it at one moment."""

    endpoint: Json | None
    held: tuple[ReleaseEntry, ...]
    live: tuple[LiveDeployment, ...]
    location: str

    @property
    def canary(self) -> LiveDeployment | None:
        """The deployment that is being tried out, with requests or copies of them."""
        name = ((self.endpoint or {}).get("tags") or {}).get(CANARY, "")
        return next((one for one in self.live if one.name == name), None)

    @property
    def serving(self) -> LiveDeployment | None:
        """The deployment that gets the requests, or those that the canary leaves."""
        busy = [one for one in self.live if one.traffic and one is not self.canary]
        return max(busy, key=lambda one: one.traffic, default=None)

    def of(self, live: LiveDeployment | None) -> ReleaseEntry | None:
        """Return the release of a deployment."""
        found = (one for one in self.held if live is not None and _same(one.id, live.environment))
        return next(found, None)

    def before(self) -> list[ReleaseEntry]:
        """Return the releases that served earlier, the latest first."""
        busy = [self.of(self.serving), self.of(self.canary)]
        found = [one for one in self.held if one.at and one not in busy]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def releases(self) -> Iterator[PlatformRelease]:
        """Yield the releases in the studio's form."""
        order = sorted(self.held, key=lambda one: one.at or "~" + one.since, reverse=True)
        for one in order:
            places = [live for live in self.live if self.of(live) is one]
            live = max(places, key=lambda place: place.traffic, default=None)
            reason = one.tags.get(REASON, "")
            yield PlatformRelease(
                one.release,
                one.tags.get(NAME, ""),
                one.version,
                self._state(one, live, reason),
                live.traffic if live else 0,
                one.at or one.since,
                one.tags.get(OWNER, ""),
                reason,
            )

    def _state(self, one: ReleaseEntry, live: LiveDeployment | None, reason: str) -> str:
        if live is not None and live is self.canary:
            return "canary"
        if live is not None and live.traffic:
            return "serving"
        if reason:
            return "failed"
        return "replaced" if one.at else "starting"


def poll(cloud: Cloud) -> EndpointSnapshot:
    """Read the endpoint, its releases and its deployments.

    Raises:
        TargetError: when the endpoint of this name was not made by the studio.
    """
    address = cloud.address
    workspace = cloud.call("GET", address.parent, "Reading the workspace")
    endpoint = cloud.find(address.name, "Reading the endpoint")
    if endpoint is not None and (endpoint.get("tags") or {}).get(TARGET) != address.endpoint:
        raise TargetError(
            f"The endpoint {address.endpoint} was not made by the studio, which leaves it alone.",
            hint="Choose another name for the target.",
        )
    versions = cloud.pages(f"{address.environment}/versions", "Listing releases")
    held = tuple(_release_entry(one) for one in versions)
    listed = cloud.pages(f"{address.name}/deployments", "Listing deployments") if endpoint else ()
    traffic = ((endpoint or {}).get("properties") or {}).get("traffic") or {}
    live = tuple(_live(one, traffic) for one in listed)
    return EndpointSnapshot(endpoint, held, live, str(workspace["location"]))


def resources(cloud: Cloud, history: EndpointSnapshot) -> Iterator[Resource]:
    """Yield all resources of the target, those that cost first."""
    address = cloud.address
    where = f"{address.workspace}, {address.group}"
    for live in history.live:
        cost, _ = cost_per_hour(live.instance, live.count, live.most, history.location)
        name = f"{address.endpoint}/{live.name}"
        yield Resource("deployment", name, where, live.since, True, True, cost)
        if live.most:
            yield Resource("autoscale setting", address.autoscale(live.name).rsplit("/")[-1], where)
    if history.endpoint is not None:
        yield Resource("endpoint", address.endpoint, where, _since(history.endpoint))
    for held in history.held:
        yield Resource("environment", "/".join(held.id.split("/")[-3::2]), where, held.since)


def _release_entry(version: Mapping[str, Any]) -> ReleaseEntry:
    properties = dict(version.get("properties") or {})
    return ReleaseEntry(
        str(version["id"]), properties, dict(properties.get("tags") or {}), _since(version)
    )


def _live(deployment: Mapping[str, Any], traffic: Mapping[str, int]) -> LiveDeployment:
    properties, tags = dict(deployment["properties"]), dict(deployment.get("tags") or {})
    name = str(deployment["name"])
    return LiveDeployment(
        name,
        str(properties.get("environmentId") or ""),
        int(traffic.get(name) or 0),
        str(properties.get("instanceType") or ""),
        int((deployment.get("sku") or {}).get("capacity") or 1),
        int(tags.get(MOST) or 0),
        state_of(deployment),
        _since(deployment),
    )


def _since(resource: Mapping[str, Any]) -> str:
    return str((resource.get("systemData") or {}).get("createdAt") or "")


def _same(one: str, other: str) -> bool:
    """Return whether two Azure IDs are equal but for case and a prefix."""
    return one.lower() == other.lower().removeprefix("azureml:")
