"""One target at Azure ML: a managed online endpoint whose deployments take turns."""

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
from studio_azureml import measurements as measuring
from studio_azureml.cloud import Cloud
from studio_azureml.preview import preview
from studio_azureml.snapshot import EndpointSnapshot, LiveDeployment, ReleaseEntry, poll, resources
from studio_azureml.traffic import ServeSettings, TrafficChange

_TIMEOUT_S = 3600.0


class AzureMlSite:
    """A session at the place of one target."""

    def __init__(self, cloud: Cloud, identity: Identity) -> None:
        self._cloud = cloud
        self._identity = identity

    def identity(self) -> Identity:
        return self._identity

    def preview(self, parcel: Parcel, options: Mapping[str, Any]) -> Preview:
        return preview(self._cloud, poll(self._cloud), parcel, options)

    def deploy(self, parcel: Parcel, options: Mapping[str, Any], progress: Progress) -> Deployed:
        wish = ServeSettings.of(parcel, options)
        canary, mirror = int(options.get("canary") or 0), int(options.get("mirror") or 0)
        rollout = TrafficChange(self._cloud, progress, wish.timeout_s)
        # An interrupted change ends first, so that only what is left is done.
        rollout.settle()
        blocked = [one for one in self.preview(parcel, options).actions if one.state == "blocked"]
        if blocked:
            raise Refused(blocked[0].text, hint=blocked[0].hint)
        before = poll(self._cloud)
        rollout.ensure_endpoint(before, parcel.owner, wish.auth)
        held = rollout.ensure_environment(parcel, wish)
        live = rollout.ensure_live(held, wish, before.location)
        serving = before.serving
        if serving is not None and serving.name == live.name and len(before.live) == 1:
            return self._deployed(held, "unchanged")
        if not (canary or mirror) or serving is None or serving.name == live.name:
            return self._serve(rollout, held, live)
        split = {serving.name: 100 - canary, live.name: canary}
        rollout.give(split, held, live.name, mirror)
        rollout.clear(poll(self._cloud), set(split))
        return self._deployed(held, "canary")

    def promote(self, progress: Progress) -> Deployed:
        rollout = TrafficChange(self._cloud, progress, _TIMEOUT_S)
        rollout.settle()
        history = poll(self._cloud)
        canary, held = history.canary, history.of(history.canary)
        if canary is None or held is None:
            raise TargetError("There is no canary at this endpoint.")
        return self._serve(rollout, held, canary)

    def rollback(self, to: str | None, progress: Progress) -> Deployed:
        rollout = TrafficChange(self._cloud, progress, _TIMEOUT_S)
        rollout.settle()
        history = poll(self._cloud)
        serving, stable = history.serving, history.of(history.serving)
        if serving is None:
            raise TargetError(f"{self._cloud.address.endpoint} has no running release.")
        if history.canary is not None and stable is not None and to is None:
            return self._serve(rollout, stable, serving)
        held = _chosen(history, to)
        wish = ServeSettings(
            held.image, serving.instance, serving.count, serving.most, 70, "", _TIMEOUT_S
        )
        return self._serve(rollout, held, rollout.ensure_live(held, wish, history.location))

    def releases(self) -> Sequence[PlatformRelease]:
        return list(poll(self._cloud).releases())

    def reach(self) -> Tunnel | None:
        return None

    def infer(self, request: bytes, head_length: int) -> tuple[bytes, int]:
        endpoint = self._cloud.find(self._cloud.address.name, "Reading the endpoint") or {}
        properties = endpoint.get("properties") or {}
        url = str(properties.get("scoringUri") or "")
        if not url:
            raise TargetError(f"{self._cloud.address.endpoint} has no running release.")
        kind = "application/json"
        if head_length:
            # The length of the JSON head travels in the content type.
            kind = f"application/vnd.sagemaker-triton.binary+json;json-header-size={head_length}"
        response = self._cloud.invoke(url, request, kind, self._key(properties))
        answered = response.headers.get("Content-Type", "")
        head = answered.partition("json-header-size=")[2].strip()
        head = head or response.headers.get("Inference-Header-Content-Length", "")
        return response.content, int(head) if head.isdigit() else 0

    def measure(self) -> Measurement | None:
        history = poll(self._cloud)
        return None if history.endpoint is None else measuring.measure(self._cloud, history)

    def logs(self, lines: int) -> Iterator[str]:
        history = poll(self._cloud)
        live = history.serving or next(iter(history.live), None)
        if live is None:
            return iter(())
        path = f"{self._cloud.address.name}/deployments/{live.name}/getLogs"
        body = {"containerType": "InferenceServer", "tail": max(1, lines)}
        answer = self._cloud.call("POST", path, "Reading the log", body)
        return iter(str(answer.get("content") or "").splitlines()[-lines:])

    def remove(self, purge: bool, progress: Progress) -> Sequence[Resource]:
        rollout = TrafficChange(self._cloud, progress, _TIMEOUT_S)
        rollout.settle()
        rollout.stop()
        if purge:
            rollout.purge(poll(self._cloud))
        return self.resources()

    def resources(self) -> Sequence[Resource]:
        return list(resources(self._cloud, poll(self._cloud)))

    def close(self) -> None:
        self._cloud.close()

    def _key(self, properties: Mapping[str, Any]) -> str:
        """Read the key for each request without storing it; return "" where a token is used."""
        if properties.get("authMode") != "Key":
            return ""
        path = f"{self._cloud.address.name}/listKeys"
        return str(self._cloud.call("POST", path, "Reading the endpoint's key")["primaryKey"])

    def _serve(self, rollout: TrafficChange, held: ReleaseEntry, live: LiveDeployment) -> Deployed:
        """Give all requests to one, and end the others."""
        rollout.give({live.name: 100}, held)
        rollout.clear(poll(self._cloud), {live.name})
        return self._deployed(held, "serving")

    def _deployed(self, held: ReleaseEntry, state: str) -> Deployed:
        endpoint = self._cloud.call("GET", self._cloud.address.name, "Reading the endpoint")
        address = str(endpoint["properties"].get("scoringUri") or "")
        return Deployed(held.release, state, address, 0, {"image": held.image})


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
