"""The releases of one target, as they are noted in the cluster itself: a ConfigMap.

What serves is read from the objects that serve; the record adds what they cannot tell: how an
earlier release was served, so that it can be served again, and why one failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from studio.api import TargetError
from studio_kubernetes.cluster.client import Cluster
from studio_kubernetes.cluster.kinds import CONFIG_MAP
from studio_kubernetes.manifests.config_maps import config_map
from studio_kubernetes.manifests.workload import Workload, WorkloadName

KEPT = 10
"""Releases that stay in the record."""


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """Entry of one release in the record.

    Attributes:
        order: Grows with each deploy.
        state: ``starting``, ``deployed``, ``failed`` or ``withdrawn``; what serves is not said.
        maps, files: As the workload has them.
    """

    release: str
    model: str
    version: int
    image: str
    options: Mapping[str, Any]
    order: int
    owner: str = ""
    at: str = ""
    state: str = "starting"
    reason: str = ""
    maps: tuple[str, ...] = ()
    files: Mapping[str, str] | None = None

    def workload(self, place: WorkloadName) -> Workload:
        """Return the workload as it was served."""
        return Workload(
            place,
            self.model,
            self.version,
            self.release,
            self.owner,
            self.image,
            self.options,
            tuple(self.maps),
            dict(self.files or {}),
        )


class Record:
    """The record of one target; each change is written at once."""

    def __init__(self, cluster: Cluster, place: WorkloadName) -> None:
        self._cluster = cluster
        self._place = place
        self.name = f"{place.name}-releases"

    def entries(self) -> list[ReleaseEntry]:
        """Return all known entries, the newest first."""
        found = self._cluster.get(CONFIG_MAP, self.name) or {}
        texts = (found.get("data") or {}).values()
        entries = [entry for text in texts if (entry := _read(text)) is not None]
        return sorted(entries, key=lambda entry: -entry.order)

    def begin(self, workload: Workload, at: str) -> list[ReleaseEntry]:
        """Note that a release is about to be served.

        Returns:
            Entries that fell out of the record.
        """
        known = self.entries()
        order = 1 + max((entry.order for entry in known), default=0)
        entry = ReleaseEntry(
            workload.release,
            workload.model,
            workload.version,
            workload.image,
            dict(workload.options),
            order,
            workload.owner,
            at,
            maps=workload.maps,
            files=dict(workload.files),
        )
        # A repeated deploy of a release replaces its entry.
        rest = [one for one in known if one.release != workload.release]
        kept = [entry, *rest][:KEPT]
        self._write(kept)
        return rest[KEPT - 1 :]

    def note(self, release: str, state: str, reason: str = "") -> None:
        """Record how the deploy of a release ended."""
        entries = self.entries()
        changed = [
            replace(one, state=state, reason=reason) if one.release == release else one
            for one in entries
        ]
        if changed != entries:
            self._write(changed)

    def _write(self, entries: Sequence[ReleaseEntry]) -> None:
        data = {entry.release[:16]: json.dumps(asdict(entry), sort_keys=True) for entry in entries}
        self._cluster.apply(CONFIG_MAP, config_map(self._place, self.name, data=data), force=True)


def _read(text: str) -> ReleaseEntry | None:
    """Return an entry, or None if another program wrote it."""
    try:
        return ReleaseEntry(**json.loads(text))
    except (TypeError, ValueError):
        return None


def choose(entries: Sequence[ReleaseEntry], current: str, to: str | None) -> ReleaseEntry:
    """Return the release of a rollback.

    Args:
        current: Digest of the one that serves; empty where none does.
        to: A version's number or a digest's first digits; None for the one before.

    Raises:
        TargetError: when no such release exists.
    """
    good = [one for one in entries if one.state == "deployed" and one.release != current]
    if to is not None:
        fits = [one for one in good if str(one.version) == to or one.release.startswith(to)]
        if not fits:
            raise TargetError(f"There is no earlier release {to!r} that could be served again.")
        return fits[0]
    order = next((one.order for one in entries if one.release == current), None)
    before = [one for one in good if order is None or one.order < order]
    if not before:
        raise TargetError("There is no earlier release that could be served again.")
    return before[0]
