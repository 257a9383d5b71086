"""The versions of a workspace, as lists and lineages show them."""

from __future__ import annotations

from studio.registry import Registry
from studio.versions.results import Lineage, ReleasesAt, TargetAt, VersionRow
from studio.versions.serving_history import all_served_at, served_at, served_on
from studio.versions.timestamps import moment
from studio.versions.versions import all_versions, find_version, lineage


class Versions:
    """The queries about versions; steps change them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def all(self, model: str | None = None) -> list[VersionRow]:
        """Return the versions of a model (of all), the newest first.

        Raises:
            UsageError: when there is no such model.
        """
        served = served_on(self._registry)
        variants = {one.id: one.name for one in self._registry.variants()}
        return [
            VersionRow(
                model=named.model,
                version=named.version.number,
                aliases=named.aliases,
                variant=variants.get(named.version.variant, ""),
                digest=named.version.digest,
                counter=named.version.counter,
                created=named.version.created,
                kept=self._registry.shared is not None or named.version.path.is_dir(),
                targets=tuple(served.get(named.version.digest, ())),
            )
            for named in all_versions(self._registry, model)
        ]

    def lineage(self, version: str) -> Lineage:
        """Return the lineage of a version.

        Args:
            version: ``NAME``, ``NAME:NUMBER``, ``NAME@ALIAS`` or a digest.

        Raises:
            UsageError: when the version does not exist.
        """
        return lineage(self._registry, find_version(self._registry, version))

    def at(self, time: str, target: str | None = None) -> ReleasesAt:
        """Return the releases at a moment, on one target or on all known ones.

        Raises:
            UsageError: when it is no moment, or there is no such target.
        """
        when = moment("9999-12-31" if time == "now" else time)
        if target is not None:
            self._registry.target(target)
        names = [target] if target else self._registry.history.targets()
        served = (
            {target: served_at(self._registry, target, when)}
            if target
            else all_served_at(self._registry, names, when)
        )
        rows = tuple(TargetAt(name, served[name]) for name in names)
        return ReleasesAt(time if time == "now" else when, rows)
