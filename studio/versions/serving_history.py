"""Which release a target served at a moment, as far as the registry knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from studio.registry import Change, Registry, ReleaseRecord
from studio.versions.timestamps import later

_SERVING = ("serving", "committed")
_CANARY = "canary"


class ServingPeriod(NamedTuple):
    """A time in which a target served a release.

    Attributes:
        change: The last change that says so.
        until: When it ended; None while it goes on.
        ended_trial: It was on trial all the while, and was taken back.
        canary: Another release that got a part of the requests.
    """

    change: Change
    since: str
    until: str | None
    ended_trial: bool = False
    canary: Change | None = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """Of all releases that served."""
        return (self.change,) if self.canary is None else (self.change, self.canary)


def served_on(registry: Registry) -> dict[str, list[str]]:
    """The targets that serve each release now, by digest."""
    found: dict[str, list[str]] = {}
    for target, changes in registry.history.changes().items():
        stay = stay_at(changes)
        for change in stay.changes if stay is not None else ():
            found.setdefault(change.digest, []).append(target)
    return found


def served_at(registry: Registry, target: str, moment: str | None = None) -> dict[str, Any] | None:
    """What a target served at a moment (now).

    Args:
        moment: An ISO time in UTC, spelled as the registry does.

    Returns:
        ``release``, ``version``, ``name``, ``since``, ``until``, ``by``, whether it was ``known``
        here, whether it was ``on_trial``, also when it was taken back later, and the version of a
        ``canary`` beside it (or none); None when nothing was served.
    """
    stay = stay_at(registry.history.changes(target).get(target, ()), moment)
    if stay is None:
        return None
    return _told(stay, registry.history.these(one.id for one in stay.changes), moment)


def all_served_at(
    registry: Registry, targets: Sequence[str], moment: str | None = None
) -> dict[str, dict[str, Any] | None]:
    """The same of several targets; of hundreds it takes little more than of one."""
    changes = registry.history.changes()
    stays = {target: stay_at(changes.get(target, ()), moment) for target in targets}
    releases = registry.history.these(
        change.id for stay in stays.values() if stay is not None for change in stay.changes
    )
    return {
        target: None if stay is None else _told(stay, releases, moment)
        for target, stay in stays.items()
    }


def stay_at(changes: Sequence[Change], moment: str | None = None) -> ServingPeriod | None:
    """What a target served, by what was done on it, the oldest first."""
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
            current = _beside(current, change)
        elif change.state == "removed":
            current = None
        elif moment is not None and moment < change.until:
            return ServingPeriod(change, change.created, change.until, ended_trial=True)
    return current


def _beside(current: ServingPeriod | None, canary: Change) -> ServingPeriod:
    if current is None:  # nothing else is known to have served
        return ServingPeriod(canary, canary.created, None)
    return current._replace(canary=canary)


def _told(
    stay: ServingPeriod, releases: Mapping[int, ReleaseRecord], moment: str | None
) -> dict[str, Any]:
    release = releases[stay.change.id]
    details = release.details
    seconds = float((details.get("soak") or {}).get("seconds") or 0.0)
    # A trial is part of the time that it serves.
    tried = moment is not None and moment < later(release.created, seconds)
    return {
        "target": release.target,
        "release": release.digest,
        "version": details.get("version"),
        "name": details.get("name") or "",
        "variant": details.get("variant_name"),
        "since": stay.since,
        "until": stay.until,
        "by": details.get("by") or "",
        "known": release.version is not None,
        "on_trial": stay.ended_trial or tried,
        "canary": None if stay.canary is None else releases[stay.canary.id].details.get("version"),
    }
