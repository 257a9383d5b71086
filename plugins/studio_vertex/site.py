"""One target at Vertex AI: an endpoint whose deployed models take turns at the requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.api import (
    Deployed,
    Identity,
    Measurement,
    Parcel,
    PlatformRelease,
    Preview,
    Progress,
    Refused,
    Resource,
    TargetError,
    Tunnel,
)
from studio_vertex import measurements as measuring
from studio_vertex.cloud import Cloud
from studio_vertex.names import ServeSettings
from studio_vertex.preview import preview
from studio_vertex.snapshot import EndpointSnapshot, LiveDeployment, ReleaseEntry, poll, resources
from studio_vertex.traffic import TrafficChange, is_as_wished

_TIMEOUT_S = 3600.0
_LIMIT = 1_500_000
"""Bytes of a request that Vertex AI's public endpoints take."""


class VertexSite:
    """A session at the place of one target."""

    def __init__(self, cloud: Cloud, identity: Identity) -> None:
        self._cloud = cloud
        self._identity = identity

    def identity(self) -> Identity:
        return self._identity

    def preview(self, parcel: Parcel, options: Mapping[str, Any]) -> Preview:
        return preview(self._cloud, poll(self._cloud), parcel, options)

    def deploy(self, parcel: Parcel, options: Mapping[str, Any], progress: Progress) -> Deployed:
        wish, canary = ServeSettings.of(parcel, options), int(options.get("canary") or 0)
        rollout = TrafficChange(self._cloud, progress, wish.timeout_s)
        rollout.settle()
        blocked = [one for one in self.preview(parcel, options).actions if one.state == "blocked"]
        if blocked:
            raise Refused(blocked[0].text, hint=blocked[0].hint)
        rollout.ensure_endpoint(parcel.owner)
        held = rollout.ensure_model(parcel, wish)
        before = poll(self._cloud)
        if self._is_done(before, held, wish, canary):
            return self._deployed(held, "unchanged")
        live = rollout.ensure_live(held, wish)
        split, state = _shares(before.serving, live, canary)
        rollout.give(split, held, f"Version {held.version} gets {split[live.id]} % of the requests")
        rollout.clear(poll(self._cloud), set(split))
        return self._deployed(held, state)

    def promote(self, progress: Progress) -> Deployed:
        rollout = TrafficChange(self._cloud, progress, _TIMEOUT_S)
        rollout.settle()
        history = poll(self._cloud)
        canary = history.canary
        held = history.of(canary) if canary else None
        if canary is None or held is None:
            raise TargetError("There is no canary at this endpoint.")
        return self._serve(rollout, held, canary)

    def rollback(self, to: str | None, progress: Progress) -> Deployed:
        rollout = TrafficChange(self._cloud, progress, _TIMEOUT_S)
        rollout.settle()
        history = poll(self._cloud)
        serving = history.serving
        if serving is None:
            raise TargetError(f"{self._cloud.address.endpoint} has no running release.")
        stable = history.of(serving)
        if history.canary is not None and stable is not None and to is None:
            return self._serve(rollout, stable, serving)
        held = _chosen(history, to)
        wish = ServeSettings(held.image, serving.resources, serving.service_account, _TIMEOUT_S)
        return self._serve(rollout, held, rollout.ensure_live(held, wish))

    def releases(self) -> Sequence[PlatformRelease]:
        return list(poll(self._cloud).releases())

    def reach(self) -> Tunnel | None:
        return None

    def infer(self, request: bytes, head_length: int) -> tuple[bytes, int]:
        if len(request) > _LIMIT:
            raise TargetError("Vertex AI takes requests of at most 1.5 MB; this one is larger.")
        path = f"v1/{self._cloud.address.name}:rawPredict"
        kind = "application/json"
        if head_length:
            kind = f"application/vnd.sagemaker-triton.binary+json;json-header-size={head_length}"
        response = self._cloud.raw(path, request, "Asking the endpoint", kind)
        answered = response.headers.get("Content-Type", "")
        head = answered.partition("json-header-size=")[2].strip()
        head = head or response.headers.get("Inference-Header-Content-Length", "")
        return response.content, int(head) if head.isdigit() else 0

    def measure(self) -> Measurement | None:
        return measuring.measure(self._cloud, poll(self._cloud))

    def logs(self, lines: int) -> Iterator[str]:
        return measuring.logs(self._cloud, lines)

    def remove(self, purge: bool, progress: Progress) -> Sequence[Resource]:
        rollout = TrafficChange(self._cloud, progress, _TIMEOUT_S)
        rollout.settle()
        rollout.clear(_stable_last(poll(self._cloud)), set())
        if purge:
            history = poll(self._cloud)
            if history.endpoint is not None:
                rollout.delete(self._cloud.address.name, "Deleting the endpoint")
            for held in history.held:
                name = f"{self._cloud.address.parent}/models/{held.model}"
                rollout.delete(name, "Deleting a model")
        return self.resources()

    def resources(self) -> Sequence[Resource]:
        return list(resources(self._cloud, poll(self._cloud)))

    def close(self) -> None:
        self._cloud.close()

    def _serve(self, rollout: TrafficChange, held: ReleaseEntry, live: LiveDeployment) -> Deployed:
        """Give all requests to one, and end the others."""
        rollout.give({live.id: 100}, held, f"Version {held.version} gets all requests")
        rollout.clear(poll(self._cloud), {live.id})
        return self._deployed(held, "serving")

    def _is_done(
        self, history: EndpointSnapshot, held: ReleaseEntry, wish: ServeSettings, canary: int
    ) -> bool:
        """Return whether a release has its requests already, and nothing is left over."""
        place = history.canary if canary else history.serving
        if place is None or len(history.live) != (2 if canary else 1):
            return False
        return (
            place.model == held.model
            and place.traffic == (canary or 100)
            and is_as_wished(place, wish)
        )

    def _deployed(self, held: ReleaseEntry, state: str) -> Deployed:
        address = self._cloud.address
        endpoint = address.url("aiplatform", f"v1/{address.name}:rawPredict")
        facts = {"image": held.image, "model": held.model}
        return Deployed(held.release, state, endpoint, 0, facts)


def _shares(
    serving: LiveDeployment | None, live: LiveDeployment, canary: int
) -> tuple[dict[str, int], str]:
    """Return percent by deployed model, and the state of the new one."""
    if canary and serving is not None and serving.id != live.id:
        return {serving.id: 100 - canary, live.id: canary}, "canary"
    return {live.id: 100}, "serving"


def _stable_last(history: EndpointSnapshot) -> EndpointSnapshot:
    """Order the deployed models so that the one with the requests is removed last."""
    order = sorted(history.live, key=lambda one: one.traffic)
    return EndpointSnapshot(history.endpoint, history.held, tuple(order))


def _chosen(history: EndpointSnapshot, to: str | None) -> ReleaseEntry:
    """Return the release to roll back to.

    Raises:
        TargetError: when no such release exists.
    """
    found = history.before()
    if to is None and found:
        return found[0]
    for one in found:
        if to and (str(one.version) == to or (len(to) >= 6 and one.release.startswith(to))):
            return one
    known = ", ".join(f"version {one.version}" for one in found) or "none"
    what = f"release {to}" if to else "release to go back to"
    raise TargetError(f"There is no earlier {what}.", hint=f"Kept: {known}.")
