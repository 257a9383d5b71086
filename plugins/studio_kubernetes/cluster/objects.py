"""Objects of a target in the cluster: read, apply and delete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from studio.api import Progress, TargetError
from studio_kubernetes.cluster.client import Cluster
from studio_kubernetes.cluster.kinds import (
    BY_KIND,
    DEPLOYMENT,
    OF_KSERVE,
    OURS,
    POD,
    ApiKind,
)
from studio_kubernetes.manifests.names import (
    INSTANCE,
    MANAGED_BY,
    MANAGER,
    PERCENT,
    RELEASE,
    STABLE_RELEASE,
)
from studio_kubernetes.manifests.workload import Json, WorkloadName

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Serving:
    """Releases that serve now.

    Attributes:
        stable, canary: Digests; empty if missing.
        percent: Of the requests that the canary was to have.
        kind: Of what serves.
    """

    stable: str = ""
    canary: str = ""
    percent: int = 0
    kind: ApiKind = DEPLOYMENT


class Objects:
    """The objects of one target."""

    def __init__(self, cluster: Cluster, place: WorkloadName) -> None:
        self.cluster = cluster
        self.place = place
        self.selector = f"{INSTANCE}={place.name},{MANAGED_BY}={MANAGER}"

    def live(self) -> dict[Key, Json]:
        """Return all objects of the studio by kind and name."""
        return {
            (kind.kind, one["metadata"]["name"]): one
            for kind in OURS
            for one in self.cluster.find(kind, self.selector)
        }

    def pods(self, track: str = "") -> list[Json]:
        """Return the pods of a track, or all."""
        more = f",edgewright/track={track}" if track else ""
        return self.cluster.find(POD, self.selector + more)

    def serving(self) -> Serving:
        """Return the serving releases from the annotations of the objects."""
        stable = self._own(DEPLOYMENT, self.place.name)
        if stable is not None:
            canary = self._own(DEPLOYMENT, self.place.canary)
            if canary is None:
                return Serving(_annotation(stable, RELEASE))
            percent = int(_annotation(canary, PERCENT) or 0)
            return Serving(_annotation(stable, RELEASE), _annotation(canary, RELEASE), percent)
        for kind in OF_KSERVE.values():
            service = self._own(kind, self.place.name) if self.cluster.serves(kind) else None
            if service is not None:
                return _kserve_serving(service, kind)
        return Serving()

    def refuse_strangers(self, manifests: Sequence[Json]) -> None:
        """Raise if an object of the same name does not belong to this target.

        Raises:
            TargetError: naming it.
        """
        for kind, name in sorted({(one["kind"], one["metadata"]["name"]) for one in manifests}):
            there = self.cluster.get(BY_KIND[kind], name)
            if there is not None and not self._is_own(there):
                raise TargetError(
                    f"{kind} {name} exists already in {self.place.namespace} "
                    "and does not belong to this target.",
                    hint="Choose another name for the target, or delete that object first.",
                )

    def _own(self, kind: ApiKind, name: str) -> Json | None:
        """Return an object of this target; another target's may have the name of our canary."""
        found = self.cluster.get(kind, name)
        return found if found is not None and self._is_own(found) else None

    def _is_own(self, manifest: Json) -> bool:
        labels = manifest["metadata"].get("labels") or {}
        return bool(self.place.selector.items() <= labels.items())

    def apply(self, manifests: Sequence[Json], force: bool, progress: Progress) -> int:
        """Bring objects to what is wanted.

        Returns:
            Bytes that were sent.
        """
        sent = 0
        for done, manifest in enumerate(manifests):
            kind, name = BY_KIND[manifest["kind"]], manifest["metadata"]["name"]
            progress.progress(done, len(manifests), f"Applying {kind.kind} {name}")
            if "replicas" not in (manifest.get("spec") or {}) and kind is DEPLOYMENT:
                manifest = with_replicas(manifest, self.cluster.get(kind, name))
            self.cluster.apply(kind, manifest, force=force)
            sent += len(str(manifest))
        return sent

    def prune(self, manifests: Sequence[Json]) -> None:
        """Delete serving objects that are no longer desired."""
        wanted = {(one["kind"], one["metadata"]["name"]) for one in manifests}
        for kind in OURS:
            # Kinds that only store, such as the release record, stay.
            if not kind.serves:
                continue
            for one in self.cluster.find(kind, self.selector):
                name = one["metadata"]["name"]
                if (kind.kind, name) not in wanted:
                    self.cluster.delete(kind, name)

    def remove(self, purge: bool, progress: Progress) -> None:
        """Delete the serving objects; with a purge, also the stored ones."""
        kinds = [kind for kind in OURS if kind.serves or purge]
        for done, kind in enumerate(kinds):
            progress.progress(done, len(kinds), f"Removing {kind.plural}")
            for one in self.cluster.find(kind, self.selector):
                self.cluster.delete(kind, one["metadata"]["name"])


def with_replicas(manifest: Json, live: Json | None) -> Json:
    """Return the object; a Deployment keeps its replicas until an autoscaler has set them.

    A field that its only owner no longer sets falls back to its default, which is one replica.
    """
    if manifest["kind"] != DEPLOYMENT.kind or "replicas" in manifest["spec"] or live is None:
        return manifest
    owners = {
        str(entry.get("manager"))
        for entry in live["metadata"].get("managedFields") or []
        if "f:replicas" in (entry.get("fieldsV1") or {}).get("f:spec", {})
    }
    if owners != {MANAGER}:
        return manifest
    return {**manifest, "spec": {**manifest["spec"], "replicas": live["spec"]["replicas"]}}


def steps(manifests: Sequence[Json], live: dict[Key, Json]) -> Iterator[tuple[str, Key]]:
    """Yield the objects to create, to update and to delete, in this order."""
    wanted = [(one["kind"], one["metadata"]["name"]) for one in manifests]
    for key in wanted:
        yield ("change" if key in live else "create"), key
    for kind, name in live:
        if BY_KIND[kind].serves and (kind, name) not in wanted:
            yield "delete", (kind, name)


def _annotation(manifest: Json, name: str) -> str:
    return str((manifest["metadata"].get("annotations") or {}).get(name) or "")


def _kserve_serving(service: Json, kind: ApiKind) -> Serving:
    release, percent = _annotation(service, RELEASE), int(_annotation(service, PERCENT) or 0)
    if not percent:
        return Serving(release, kind=kind)
    stable = _annotation(service, STABLE_RELEASE)
    return Serving(stable, release, percent, kind)
