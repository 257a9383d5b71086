"""Preview of a deploy: resources to create, their cost, and blockers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from studio.api import Action, Parcel, Preview, TargetError
from studio_vertex.cloud import Cloud
from studio_vertex.names import ServeSettings, model_id
from studio_vertex.prices import cost_per_hour
from studio_vertex.snapshot import EndpointSnapshot
from studio_vertex.traffic import is_as_wished

_IMAGE = re.compile(
    r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[^/]+)/(?P<repository>[^/]+)"
    r"/(?P<package>[^:@]+)(:(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))"
)
_FAMILIES = {
    "NVIDIA_L4": ("g2-",),
    "NVIDIA_TESLA_A100": ("a2-highgpu-", "a2-megagpu-"),
    "NVIDIA_A100_80GB": ("a2-ultragpu-",),
    "NVIDIA_H100_80GB": ("a3-",),
    "NVIDIA_TESLA_T4": ("n1-",),
}


def preview(
    cloud: Cloud, history: EndpointSnapshot, parcel: Parcel, options: Mapping[str, Any]
) -> Preview:
    """Return the preview of a deploy without changing anything."""
    wish = ServeSettings.of(parcel, options)
    actions = [
        *_of_image(cloud, parcel, wish),
        *_of_machine(wish),
        *_of_language(parcel),
        *_of_objects(cloud, history, parcel, wish, int(options.get("canary") or 0)),
    ]
    cost, note = cost_per_hour(wish.resources, cloud.address.region)
    if history.serving is not None:
        note = f"{note} While both releases run, both cost."
    documents = {"dedicated-resources.json": json.dumps(wish.resources, indent=2, sort_keys=True)}
    return Preview(tuple(actions), documents, cost, "USD" if cost is not None else "", note)


def _of_image(cloud: Cloud, parcel: Parcel, wish: ServeSettings) -> Iterator[Action]:
    address = cloud.address
    example = f"{address.region}-docker.pkg.dev/{address.project}/models/{parcel.name}"
    how = (
        f"Make and push it: studio package MODEL --image {example}:{parcel.version} "
        f"--set push=yes, then deploy with --set image={example}:{{version}}. "
        f"Docker logs in with: gcloud auth configure-docker {address.region}-docker.pkg.dev"
    )
    if not wish.image:
        yield Action("image", "Missing image of the bundle.", "blocked", how)
        return
    parts = _IMAGE.fullmatch(wish.image)
    if parts is None:
        text = f"{wish.image} is no image with a tag in Artifact Registry, which Vertex AI wants."
        yield Action("image", text, "blocked", how)
        return
    try:
        there = cloud.find(_path(parts), "Looking for the image", "artifactregistry") is not None
    except TargetError as error:
        yield Action("image", f"Whether it exists is not known: {error.message}", "warning")
        return
    if there:
        yield Action("image", f"{wish.image} is there", "checked")
    else:
        yield Action("image", f"{wish.image} is not in the registry.", "blocked", how)


def _path(parts: re.Match[str]) -> str:
    """Return the version or tag in Artifact Registry's own names."""
    found = parts.groupdict()
    where = f"projects/{found['project']}/locations/{found['location']}"
    package = f"repositories/{found['repository']}/packages/{quote(found['package'], safe='')}"
    last = f"versions/{found['digest']}" if found["digest"] else f"tags/{found['tag']}"
    return f"v1/{where}/{package}/{last}"


def _of_machine(wish: ServeSettings) -> Iterator[Action]:
    spec = dict(wish.resources["machineSpec"])
    machine, kind = str(spec["machineType"]), str(spec.get("acceleratorType") or "")
    if wish.resources["maxReplicaCount"] < wish.resources["minReplicaCount"]:
        yield Action("replicas", "The maximum of replicas is below the minimum.", "blocked")
    if kind and not machine.startswith(_FAMILIES[kind]):
        fits = " or ".join(f"{family}..." for family in _FAMILIES[kind])
        text = f"{kind} does not go with {machine}."
        yield Action("machine", text, "blocked", f"Choose a machine like {fits}")
    elif not kind and machine.startswith(("g2-", "a2-", "a3-")):
        yield Action("machine", f"{machine} has an accelerator that must be named.", "blocked")


def _of_language(parcel: Parcel) -> Iterator[Action]:
    if parcel.manifest.get("generation"):
        text = "conversations by rawPredict, streams by streamRawPredict, one instance by predict"
        yield Action("language", text, "checked")


def _of_objects(
    cloud: Cloud, history: EndpointSnapshot, parcel: Parcel, wish: ServeSettings, canary: int
) -> Iterator[Action]:
    address, serving = cloud.address, history.serving
    if canary and serving is None:
        hint = "Deploy without --canary first."
        yield Action("canary", "There is nothing to share requests with.", "blocked", hint)
    state = "skipped" if history.endpoint is not None else "planned"
    yield Action("endpoint", f"{address.endpoint} in {address.region}", state)
    identifier = model_id(address.endpoint, parcel.digest, wish.image)
    there = any(one.model == identifier for one in history.held)
    yield Action("model", identifier, "skipped" if there else "planned")
    same = [one for one in history.live if one.model == identifier and is_as_wished(one, wish)]
    machine = wish.resources["machineSpec"]["machineType"]
    numbers = f"{wish.resources['minReplicaCount']} to {wish.resources['maxReplicaCount']}"
    text = f"version {parcel.version} on {numbers} x {machine}"
    yield Action("deployed model", text, "skipped" if same else "planned")
    wanted = canary or 100
    done = bool(same) and same[0].traffic == wanted
    yield Action("traffic", f"{wanted} % for it", "skipped" if done else "planned")
    for live in history.live:
        if live not in same and not (canary and live is serving):
            yield Action("undeploy", f"deployed model {live.id}")
