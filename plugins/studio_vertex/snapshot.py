"""Snapshot of one target: its endpoint, its releases and their deployments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import PlatformRelease, Resource, TargetError
from studio_vertex.cloud import Cloud
from studio_vertex.names import AT, FAILED, STATE, TARGET, VERSION, digest_of, time_of
from studio_vertex.prices import cost_per_hour


@dataclass(frozen=True, slots=True)
class LiveDeployment:
    """One deployed model of the endpoint.

    Attributes:
        traffic: Percent of the requests.
        resources: Its DedicatedResources.
    """

    id: str
    model: str
    traffic: int
    since: str
    resources: Mapping[str, Any]
    service_account: str


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """One release: a model of the project, deployed or not."""

    model: str
    release: str
    name: str
    version: int
    by: str
    image: str
    labels: Mapping[str, str]
    reason: str
    since: str

    @property
    def at(self) -> str:
        """Time of the last traffic change to the release, from its label."""
        return str(self.labels.get(AT, ""))


@dataclass(frozen=True, slots=True)
class EndpointSnapshot:
    """Endpoint, releases and deployments at one moment.

    Attributes:
        endpoint: Vertex AI's Endpoint; None if it does not exist.
        held: The newest first.
    """

    endpoint: Mapping[str, Any] | None
    held: tuple[ReleaseEntry, ...]
    live: tuple[LiveDeployment, ...]

    def of(self, live: LiveDeployment) -> ReleaseEntry | None:
        """Return the release of a deployed model."""
        return next((one for one in self.held if one.model == live.model), None)

    @property
    def canary(self) -> LiveDeployment | None:
        """The later one of two that get requests."""
        busy = sorted((one for one in self.live if one.traffic), key=lambda one: one.since)
        return busy[-1] if len(busy) > 1 else None

    @property
    def serving(self) -> LiveDeployment | None:
        """The one that gets the requests, or those that the canary leaves."""
        busy = [one for one in self.live if one.traffic and one is not self.canary]
        return max(busy, key=lambda one: one.traffic, default=None)

    def before(self) -> list[ReleaseEntry]:
        """Return the releases that served earlier, the latest first."""
        busy = {one.model for one in self.live if one.traffic}
        found = [one for one in self.held if one.at and one.model not in busy]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def releases(self) -> Iterator[PlatformRelease]:
        """Yield the releases in the studio's form."""
        for one in sorted(self.held, key=lambda held: held.at or "~" + held.since, reverse=True):
            live = [place for place in self.live if place.model == one.model]
            busy = max(live, key=lambda place: place.traffic, default=None)
            yield PlatformRelease(
                one.release,
                one.name,
                one.version,
                self._state(one, busy),
                busy.traffic if busy else 0,
                time_of(one.at) or one.since,
                one.by,
                one.reason,
            )

    def _state(self, one: ReleaseEntry, live: LiveDeployment | None) -> str:
        if live is not None and live.traffic:
            return "canary" if live is self.canary else "serving"
        if one.labels.get(STATE) == FAILED:
            return "failed"
        return "replaced" if one.at else "starting"


def poll(cloud: Cloud) -> EndpointSnapshot:
    """Read the endpoint, its releases and their deployments.

    Raises:
        TargetError: when the endpoint of this name was not made by the studio.
    """
    address = cloud.address
    endpoint = cloud.find(f"v1/{address.name}", "Reading the endpoint")
    if endpoint is not None and (endpoint.get("labels") or {}).get(TARGET) != address.endpoint:
        raise TargetError(
            f"The endpoint {address.endpoint} was not made by the studio, which leaves it alone.",
            hint="Choose another name for the target.",
        )
    wanted = f'labels.{TARGET}="{address.endpoint}"'
    models = cloud.pages(f"v1/{address.parent}/models", "models", "Listing models", filter=wanted)
    return EndpointSnapshot(
        endpoint, tuple(_release_entry(one) for one in models), tuple(_live(endpoint or {}))
    )


def id_of(name: str) -> str:
    """Return the last part of a resource's name, which contains the project's ID or number."""
    return name.partition("@")[0].rpartition("/")[2]


def _release_entry(model: Mapping[str, Any]) -> ReleaseEntry:
    labels = dict(model.get("labels") or {})
    return ReleaseEntry(
        id_of(str(model["name"])),
        digest_of(labels),
        str(model.get("displayName") or ""),
        int(labels.get(VERSION) or 0),
        str(model.get("versionDescription") or ""),
        str((model.get("containerSpec") or {}).get("imageUri") or ""),
        labels,
        str(model.get("description") or ""),
        str(model.get("createTime") or ""),
    )


def _live(endpoint: Mapping[str, Any]) -> Iterator[LiveDeployment]:
    traffic = endpoint.get("trafficSplit") or {}
    for one in endpoint.get("deployedModels") or ():
        yield LiveDeployment(
            str(one["id"]),
            id_of(str(one["model"])),
            int(traffic.get(str(one["id"])) or 0),
            str(one.get("createTime") or ""),
            dict(one.get("dedicatedResources") or {}),
            str(one.get("serviceAccount") or ""),
        )


def resources(cloud: Cloud, history: EndpointSnapshot) -> Iterator[Resource]:
    """Yield all resources of the target, those that cost first."""
    address = cloud.address
    for live in history.live:
        cost, _ = cost_per_hour(live.resources, address.region)
        name = f"{address.endpoint}/{live.id}"
        yield Resource("deployed model", name, address.parent, live.since, True, True, cost)
    if history.endpoint is not None:
        since = str(history.endpoint.get("createTime") or "")
        yield Resource("endpoint", address.endpoint, address.parent, since)
    for held in history.held:
        yield Resource("model", held.model, address.parent, held.since)
