"""One target in a cluster: the studio's verbs in the cluster's terms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
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
from studio_kubernetes.cluster.client import Cluster
from studio_kubernetes.cluster.kinds import CONFIG_MAP, DEPLOYMENT, EVENT
from studio_kubernetes.cluster.logs import event_lines, pod_lines
from studio_kubernetes.cluster.objects import Objects, Serving
from studio_kubernetes.inventory import as_resource, wait_until_gone
from studio_kubernetes.manifests.apps import check_app
from studio_kubernetes.manifests.config_maps import BundleMaps, maps_of
from studio_kubernetes.manifests.desired_state import DesiredWorkload
from studio_kubernetes.manifests.generation import check_generation
from studio_kubernetes.manifests.model_images import check_model_image
from studio_kubernetes.manifests.names import STABLE
from studio_kubernetes.manifests.workload import Json, Workload, WorkloadName, workload_of
from studio_kubernetes.preview import Previewer
from studio_kubernetes.rollout.canary_analysis import CanaryAnalysis
from studio_kubernetes.rollout.changeover import Changeover
from studio_kubernetes.rollout.progress import is_ready
from studio_kubernetes.rollout.record import Record, ReleaseEntry, choose
from studio_kubernetes.rollout.serving_pods import ServingPods


class KubernetesSite:
    """An open session with the place that one target names.

    Args:
        identity: As whom the cluster knows the user, asked when the session was opened.
    """

    def __init__(self, cluster: Cluster, place: WorkloadName, identity: Identity) -> None:
        self._cluster = cluster
        self._place = place
        self._identity = identity
        self._objects = Objects(cluster, place)
        self._record = Record(cluster, place)
        self._pods = ServingPods(self._objects)

    def identity(self) -> Identity:
        return self._identity

    def preview(self, parcel: Parcel, options: Mapping[str, Any]) -> Preview:
        wanted, maps = self._desired(parcel, options)
        return Previewer(self._objects).preview(wanted, maps.manifests if maps else ())

    def deploy(self, parcel: Parcel, options: Mapping[str, Any], progress: Progress) -> Deployed:
        wanted, maps = self._desired(parcel, options)
        progress.progress(0, 0, "Validating the manifests in the cluster")
        extra = maps.manifests if maps else ()
        preview = Previewer(self._objects).preview(wanted, extra)
        if blocked := [one for one in preview.actions if one.state == "blocked"]:
            others = [f"{one.text} {one.hint}" for one in blocked[1:]]
            raise Refused(blocked[0].text, hint=blocked[0].hint, detail="\n".join(others))
        newest = wanted.canary or wanted.stable
        if self._is_so(newest, preview):
            return self._deployed(newest, "unchanged", 0)
        before = self._before()
        for entry in self._record.begin(newest, _now()):
            self._forget(entry)
        sent = self._change(before, wanted, extra, newest, progress)
        if wanted.canary is None:
            return self._deployed(newest, "serving", sent)
        return self._judged(wanted, sent, progress)

    def promote(self, progress: Progress) -> Deployed:
        before = self._before()
        if before is None or before.canary is None:
            raise TargetError(f"No canary is served as {self._place.name}.")
        canary = before.canary
        if before.stable.kind == "deployment":
            # Both serve the new release until every pod of the stable one does.
            both = DesiredWorkload(canary, canary, before.percent)
            Changeover(self._objects, before, self._pods.check).run(both, (), progress)
        self._change(before, DesiredWorkload(canary), (), canary, progress)
        return self._deployed(canary, "serving", 0)

    def rollback(self, to: str | None, progress: Progress) -> Deployed:
        before = self._before()
        if before is not None and before.canary is not None and to is None:
            self._change(before, DesiredWorkload(before.stable), (), before.stable, progress)
            self._record.note(before.canary.release, "withdrawn", "the canary was taken back")
            return self._deployed(before.stable, "serving", 0)
        current = before.stable.release if before else ""
        entry = choose(self._record.entries(), current, to)
        workload = entry.workload(self._place)
        self._change(before, DesiredWorkload(workload), (), workload, progress)
        return self._deployed(workload, "serving", 0)

    def releases(self) -> Sequence[PlatformRelease]:
        entries = self._record.entries()
        serving = self._objects.serving()
        wanted = self._current_workload(serving, entries)
        traffic = wanted.traffic if wanted else serving.percent
        return [_release(entry, serving, traffic) for entry in entries]

    def reach(self) -> Tunnel | None:
        return self._pods.tunnel(STABLE)

    def infer(self, request: bytes, head_length: int) -> tuple[bytes, int]:
        raise TargetError(f"No pod of {self._place.name} is ready to answer.")

    def measure(self) -> Measurement | None:
        return None

    def logs(self, lines: int) -> Iterator[str]:
        pods = self._objects.pods()
        yield from pod_lines(self._cluster, pods, lines)
        if not all(is_ready(pod) for pod in pods):  # the cluster's notes say why
            yield from self.events()

    def events(self) -> Iterator[str]:
        """Yield the cluster's events about the target's objects, the oldest first."""
        yield from event_lines(self._cluster.find(EVENT), self._place.name)

    def scale(self, replicas: int) -> None:
        """Set the number of replicas, until the next deploy sets its own."""
        self._cluster.scale(DEPLOYMENT, self._place.name, replicas)

    def remove(self, purge: bool, progress: Progress) -> Sequence[Resource]:
        self._objects.remove(purge, progress)
        wait_until_gone(self._objects, progress)
        return self.resources()

    def resources(self) -> Sequence[Resource]:
        found = [*self._objects.live().values(), *self._objects.pods()]
        return [as_resource(one) for one in found]

    def close(self) -> None:
        self._cluster.close()

    def _desired(
        self, parcel: Parcel, options: Mapping[str, Any]
    ) -> tuple[DesiredWorkload, BundleMaps | None]:
        maps = maps_of(parcel, self._place, str(options["bundle"]))
        workload = workload_of(
            parcel,
            options,
            self._place,
            maps.names if maps else (),
            maps.files if maps else None,
        )
        check_app(workload)
        check_model_image(workload)
        check_generation(workload.options)
        percent = int(options.get("canary") or 0)
        if not percent:
            return DesiredWorkload(workload), maps
        if workload.has_app:
            raise Refused("An app runs once and has no canary.", hint="Deploy it without --canary.")
        if workload.kind == "llminferenceservice":
            raise Refused(
                "An LLMInferenceService has no canary here.",
                hint="Deploy it without --canary, or with --set kind=inferenceservice.",
            )
        before = self._before()
        if before is None:
            raise Refused(
                "A canary needs another release beside it, and none serves here.",
                hint="Deploy it without --canary.",
            )
        if before.stable.release == workload.release:
            raise Refused(f"Version {workload.version} gets all requests already.")
        if before.stable.kind != workload.kind:
            raise Refused("A canary is served by the same kind of object as the other release.")
        # The place's own settings (gateway, service) are those of the newest deploy.
        return DesiredWorkload(before.stable, workload, percent), maps

    def _before(self) -> DesiredWorkload | None:
        """Return the current workload as a desired state."""
        return self._current_workload(self._objects.serving(), self._record.entries())

    def _current_workload(
        self, serving: Serving, entries: Sequence[ReleaseEntry]
    ) -> DesiredWorkload | None:
        known = {entry.release: entry.workload(self._place) for entry in entries}
        stable, canary = known.get(serving.stable), known.get(serving.canary)
        return DesiredWorkload(stable, canary, serving.percent if canary else 0) if stable else None

    def _change(
        self,
        before: DesiredWorkload | None,
        wanted: DesiredWorkload,
        extra: Sequence[Json],
        newest: Workload,
        progress: Progress,
    ) -> int:
        """Run a changeover and record its outcome."""
        try:
            sent = Changeover(self._objects, before, self._pods.check).run(wanted, extra, progress)
        except TargetError as error:
            self._note_failure(before, newest, error)
            raise
        self._record.note(newest.release, "deployed")
        return sent

    def _note_failure(
        self, before: DesiredWorkload | None, newest: Workload, error: TargetError
    ) -> None:
        """Record a failed deploy, but not the failed return to an earlier release."""
        if before is not None and newest.release == before.stable.release:
            return
        try:
            self._record.note(newest.release, "failed", error.message)
        except TargetError:
            return  # the failure itself is what the user must hear of

    def _judged(self, wanted: DesiredWorkload, sent: int, progress: Progress) -> Deployed:
        assert wanted.canary is not None
        seconds = float(wanted.canary.options["judge_s"])
        if not seconds:
            return self._deployed(wanted.canary, "canary", sent, traffic=wanted.traffic)
        decision = CanaryAnalysis(self._pods).watch(seconds, progress)
        progress.log(f"{decision.action}: {decision.reason}")
        if decision.action == "promote":
            return replace(self.promote(progress), bytes_sent=sent)
        if decision.action == "roll back":
            self.rollback(None, progress)
            self._record.note(wanted.canary.release, "failed", decision.reason)
            raise TargetError(
                f"The canary, version {wanted.canary.version}, was taken back.",
                hint=decision.reason,
            )
        return self._deployed(wanted.canary, "canary", sent, reason=decision.reason)

    def _is_so(self, newest: Workload, preview: Preview) -> bool:
        """Return whether the release serves already, with just these manifests."""
        serving = self._objects.serving()
        if newest.release not in (serving.stable, serving.canary):
            return False
        changes = [one for one in preview.actions if one.state == "planned"]
        return not changes and self._pods.tracks_ready()

    def _forget(self, entry: ReleaseEntry) -> None:
        """Delete the bundle of a release that left the record; runtimes are shared."""
        if entry.maps and entry.maps[0]:
            self._cluster.delete(CONFIG_MAP, entry.maps[0])

    def _deployed(self, workload: Workload, state: str, sent: int, **facts: Any) -> Deployed:
        endpoint = f"http://{workload.options['hostname'] or workload.host}"
        return Deployed(workload.release, state, endpoint, sent, {"image": workload.image, **facts})


def _release(entry: ReleaseEntry, serving: Serving, traffic: int) -> PlatformRelease:
    state, percent = _state(entry, serving, traffic)
    return PlatformRelease(
        entry.release,
        entry.model,
        entry.version,
        state,
        percent,
        entry.at,
        entry.owner,
        entry.reason,
    )


def _state(entry: ReleaseEntry, serving: Serving, traffic: int) -> tuple[str, int]:
    if entry.release == serving.stable:
        return "serving", 100 - traffic
    if entry.release == serving.canary:
        return "canary", traffic
    states = {"starting": "starting", "failed": "failed"}
    return states.get(entry.state, "replaced"), 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
