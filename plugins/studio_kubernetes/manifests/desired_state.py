"""Manifests of all objects of a target, as pure functions of the desired state.

What is wanted is always the whole (one release, or two while a canary is judged), so that a
deploy, a rollback and a promotion differ in nothing but what they ask for.
"""

from __future__ import annotations

from dataclasses import dataclass

from studio_kubernetes.manifests.apps import claim
from studio_kubernetes.manifests.kserve import (
    KINDS,
    inference_service,
    llm_inference_service,
)
from studio_kubernetes.manifests.names import (
    CANARY,
    INSTANCE,
    PERCENT,
    STABLE,
    STABLE_RELEASE,
    TRACK,
)
from studio_kubernetes.manifests.network import http_route, ingress, network_policy
from studio_kubernetes.manifests.network import service as service_of
from studio_kubernetes.manifests.pods import pod_template
from studio_kubernetes.manifests.scaling import (
    autoscaler,
    canary_replicas,
    disruption_budget,
    share,
)
from studio_kubernetes.manifests.workload import Json, Workload


@dataclass(frozen=True, slots=True)
class DesiredWorkload:
    """Desired workload of a target.

    Attributes:
        stable: The release that gets the requests.
        canary: A second release next to the stable one.
        percent: Share of the requests for the canary, as requested.
    """

    stable: Workload
    canary: Workload | None = None
    percent: int = 0

    @property
    def traffic(self) -> int:
        """Percent that the canary really gets: pods in proportion where nothing weighs them."""
        if self.canary is None:
            return 0
        if self.stable.kind != "deployment" or self.stable.options["gateway"]:
            return self.percent
        stable = int(self.stable.options["replicas"])
        return share(stable, canary_replicas(stable, self.percent))


def manifests(wanted: DesiredWorkload) -> list[Json]:
    """Return the objects in the order in which they are applied."""
    if wanted.stable.kind in KINDS:
        return _of_kserve(wanted)
    stable = wanted.stable
    meta = _meta(stable, stable.place.name)
    found = [
        claim(stable, meta),
        network_policy(stable, meta),
        disruption_budget(stable, meta),
        service_of(stable, meta, STABLE),
        deployment(stable, STABLE, None if stable.autoscaled else stable.options["replicas"]),
        autoscaler(stable, meta),
        *_canary(wanted),
        http_route(stable, meta, wanted.percent if wanted.canary else 0),
        ingress(stable, meta),
    ]
    return [one for one in found if one is not None]


def deployment(workload: Workload, track: str, replicas: int | None, percent: int = 0) -> Json:
    """Return a Deployment, without replicas where an autoscaler owns that field."""
    place = workload.place
    meta = _meta(workload, place.name if track == STABLE else place.canary)
    if percent:
        meta["annotations"] = {**meta["annotations"], PERCENT: str(percent)}
    spec: Json = {
        "minReadySeconds": 0,
        "progressDeadlineSeconds": workload.options["timeout_s"],
        "revisionHistoryLimit": 2,
        "selector": {"matchLabels": {INSTANCE: place.name, TRACK: track}},
        "strategy": _strategy(workload),
        "template": pod_template(workload, track),
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}


def _strategy(workload: Workload) -> Json:
    """Return how pods are exchanged: the old ones stay until a new one is ready.

    The volume of an app belongs to one pod, so that the new one comes after the old one.
    """
    if workload.has_app:
        return {"type": "Recreate"}
    return {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}, "type": "RollingUpdate"}


def _canary(wanted: DesiredWorkload) -> list[Json]:
    canary = wanted.canary
    if canary is None:
        return []
    weighed = bool(wanted.stable.options["gateway"])
    stable = int(wanted.stable.options["replicas"])
    count = canary_replicas(stable, wanted.percent)
    found = [deployment(canary, CANARY, count, wanted.percent)]
    if weighed:
        found.insert(0, service_of(canary, _meta(canary, canary.place.canary), CANARY))
    return found


def _of_kserve(wanted: DesiredWorkload) -> list[Json]:
    newest = wanted.canary or wanted.stable
    percent = wanted.percent if wanted.canary else 0
    meta = _meta(newest, newest.place.name)
    if percent:
        beside = {PERCENT: str(percent), STABLE_RELEASE: wanted.stable.release}
        meta["annotations"] = {**meta["annotations"], **beside}
    if newest.kind == "llminferenceservice":
        service = llm_inference_service(newest, meta)
    else:
        service = inference_service(newest, meta, percent)
    policy = network_policy(newest, meta)
    return [service] if policy is None else [policy, service]


def _meta(workload: Workload, name: str) -> Json:
    return {
        "annotations": workload.annotations,
        "labels": workload.labels,
        "name": name,
        "namespace": workload.place.namespace,
    }
