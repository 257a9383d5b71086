"""Preview of a deploy: resources to create, their cost, and blockers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from studio.api import Action, Parcel, Preview
from studio_azureml.cloud import Cloud
from studio_azureml.prices import cost_per_hour
from studio_azureml.snapshot import EndpointSnapshot
from studio_azureml.traffic import (
    LONGEST_S,
    ServeSettings,
    deployment_name,
    environment_version,
    slots_of,
)

_HOW = (
    "Make and push it: studio package MODEL --image REGISTRY.azurecr.io/NAME:VERSION --set "
    "push=yes, then deploy with --set image=REGISTRY.azurecr.io/NAME:{version}. Docker logs in "
    "with: az acr login --name REGISTRY"
)


def preview(
    cloud: Cloud, history: EndpointSnapshot, parcel: Parcel, options: Mapping[str, Any]
) -> Preview:
    """Return the preview of a deploy without changing anything."""
    wish = ServeSettings.of(parcel, options)
    actions = [
        *_of_image(wish),
        *_of_language(parcel),
        *_of_objects(cloud, history, parcel, wish, options),
    ]
    most = wish.most or wish.count
    cost, note = cost_per_hour(wish.instance, wish.count, most, history.location)
    if history.serving is not None:
        note = f"{note} While both releases run, both cost."
    return Preview(tuple(actions), {}, cost, "USD" if cost is not None else "", note)


def _of_image(wish: ServeSettings) -> Iterator[Action]:
    if not wish.image:
        yield Action("image", "Missing image of the bundle.", "blocked", _HOW)
    elif ":" not in wish.image.rpartition("/")[2] and "@" not in wish.image:
        yield Action("image", f"{wish.image} has no tag.", "blocked", _HOW)
    else:
        text = f"{wish.image} is looked for when the deployment pulls it"
        yield Action("image", text, "warning")


def _of_language(parcel: Parcel) -> Iterator[Action]:
    if slots_of(parcel):
        text = f"conversations at /score, whole or as a stream, up to {LONGEST_S} s each"
        yield Action("language", text, "checked")


def _of_objects(
    cloud: Cloud,
    history: EndpointSnapshot,
    parcel: Parcel,
    wish: ServeSettings,
    options: Mapping[str, Any],
) -> Iterator[Action]:
    canary, mirror = int(options.get("canary") or 0), int(options.get("mirror") or 0)
    if (canary or mirror) and history.serving is None:
        hint = "Deploy without --canary and mirror first."
        yield Action("canary", "There is nothing to share requests with.", "blocked", hint)
    if canary and mirror:
        text = "A canary gets requests or copies of them, not both."
        yield Action("canary", text, "blocked", "Leave out one of --canary and mirror.")
    version = environment_version(parcel.digest, wish.image)
    held = any(one.id.endswith(f"/{version}") for one in history.held)
    name = deployment_name(version, wish)
    live = next((one for one in history.live if one.name == name), None)
    yield _planned("environment", f"edgewright-{cloud.address.endpoint}/{version}", held)
    there = history.endpoint is not None
    yield _planned("endpoint", f"{cloud.address.endpoint} in {history.location}", there)
    yield _planned("deployment", f"{name} on {wish.count} x {wish.instance}", live is not None)
    if wish.most:
        yield _planned("autoscale", f"{wish.count} to {wish.most} instances", False)
    text = f"copies of {mirror} % for it" if mirror else f"{canary or 100} % for it"
    wanted = 0 if mirror else canary or 100
    done = live is not None and live.traffic == wanted and not mirror
    yield _planned("traffic", text, done)
    for one in history.live:
        if one is not live and not ((canary or mirror) and one is history.serving):
            yield Action("delete", f"deployment {one.name}")


def _planned(name: str, text: str, done: bool) -> Action:
    return Action(name, text, "skipped" if done else "planned")
