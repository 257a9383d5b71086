"""The release of a target at a time, from the registry's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.lazy_dataclass import dataclass
from studio.registry import Change, Registry, ReleaseRecord
from studio.versions.results import ServedRelease
from studio.versions.timestamps import later

_SERVING = ("serving", "committed")
_CANARY = "canary"


class ServingPeriod(NamedTuple):
    """A period in which a target had a release.

    Attributes:
        change: The last change of the period.
        until: End of the period; None if it is current.
        ended_trial: Whether it was in trial for the whole period, and rolled back.
        canary: The canary in the period.
    """

    change: Change
    since: str
    until: str | None
    ended_trial: bool = False
    canary: Change | None = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """The changes of the release and of its canary."""
        return (self.change,) if self.canary is None else (self.change, self.canary)


def served_on(registry: Registry) -> dict[str, list[str]]:
    """Return the targets that have each release now, by digest."""
    found: dict[str, list[str]] = {}
    for target, stay in _stays(registry, None).items():
        for change in stay.changes if stay is not None else ():
            found.setdefault(change.digest, []).append(target)
    return found


def served_at(registry: Registry, target: str, moment: str | None = None) -> ServedRelease | None:
    """Return the release of a target at a time (now); None without one.

    Args:
        moment: An ISO time in UTC, in the registry's spelling.
    """
    stay = _stays(registry, moment, target).get(target)
    if stay is None:
        return None
    return _release(stay, registry.history.these(one.id for one in stay.changes), moment)


def all_served_at(
    registry: Registry, targets: Sequence[str], moment: str | None = None
) -> dict[str, ServedRelease | None]:
    """Return the releases of several targets at once; hundreds take little more than one."""
    found = _stays(registry, moment)
    stays = {target: found.get(target) for target in targets}
    releases = registry.history.these(
        change.id for stay in stays.values() if stay is not None for change in stay.changes
    )
    return {
        target: None if stay is None else _release(stay, releases, moment)
        for target, stay in stays.items()
    }


def _stays(
    registry: Registry, moment: str | None, target: str | None = None
) -> dict[str, ServingPeriod | None]:
    """Return the period of a target (of each) at a time, from few of its changes."""
    found = {}
    for name, window in registry.history.around(moment, target).items():
        stay = stay_at(window.changes, moment)
        if not window.whole and not _is_sure(stay, window.changes):
            stay = stay_at(registry.history.changes(name).get(name, ()), moment)
        found[name] = stay
    return found


def _is_sure(stay: ServingPeriod | None, changes: Sequence[Change]) -> bool:
    """Return whether earlier changes cannot alter a period: one before it has ended its past."""
    times = [change.created for change in changes]
    if stay is None or stay.change.state not in _SERVING or times != sorted(times):
        return False
    return any(c.created < stay.since and c.state in (*_SERVING, "removed") for c in changes)


def stay_at(changes: Sequence[Change], moment: str | None = None) -> ServingPeriod | None:
    """Return the period at a time, from the changes of a target, the oldest first."""
    current: ServingPeriod | None = None
    for change in changes:
        if moment is not None and change.created > moment:
            if current is not None and change.state in (*_SERVING, "removed"):
                return current._replace(until=change.created)
            continue
        if change.state in _SERVING:
            again = current is not None and current.change.digest == change.digest
            since = current.since if again and current is not None else change.created
            current = ServingPeriod(change, since, None)
        elif change.state == _CANARY:
            current = _with_canary(current, change)
        elif change.state == "removed":
            current = None
        elif moment is not None and moment < change.until:
            return ServingPeriod(change, change.created, change.until, ended_trial=True)
    return current


def _with_canary(current: ServingPeriod | None, canary: Change) -> ServingPeriod:
    if current is None:  # no other release is known
        return ServingPeriod(canary, canary.created, None)
    return current._replace(canary=canary)


def _release(
    stay: ServingPeriod, releases: Mapping[int, ReleaseRecord], moment: str | None
) -> ServedRelease:
    release = releases[stay.change.id]
    details = _Details.of(release)
    seconds = (details.soak.seconds if details.soak else None) or 0.0
    # A release in trial already answers clients, so its period starts with the trial.
    tried = moment is not None and moment < later(release.created, seconds)
    return ServedRelease(
        target=release.target,
        release=release.digest,
        version=details.version,
        name=details.name or "",
        variant=details.variant_name,
        since=stay.since,
        until=stay.until,
        by=details.by or "",
        known=release.version is not None,
        on_trial=stay.ended_trial or tried,
        canary=None if stay.canary is None else _Details.of(releases[stay.canary.id]).version,
    )


@dataclass(frozen=True, slots=True)
class _Soak:
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Details:
    """The details of a recorded release for a list of releases."""

    version: int | None = None
    name: str | None = None
    variant_name: str | None = None
    by: str | None = None
    soak: _Soak | None = None

    @classmethod
    def of(cls, release: ReleaseRecord) -> _Details:
        try:
            return from_json(cls, release.details)
        except InvalidDocument:  # one invalid record of a target must not break the whole list
            return cls()
