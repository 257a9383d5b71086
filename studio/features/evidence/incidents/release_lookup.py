"""What served when an incident happened, from the registry."""

from __future__ import annotations

from collections.abc import Iterator

from studio.features.evidence.incidents.results import ServedThen
from studio.features.evidence.incidents.store import MOST_SERVED
from studio.features.evidence.records.records import ReleaseDetails
from studio.registry import Registry
from studio.versions.serving_history import served_at

_DAY_LENGTH = 10


def served_then(
    registry: Registry, model: str, happened: str, target: str = ""
) -> tuple[ServedThen, ...]:
    """Return the releases of a model that targets had at a time.

    Args:
        happened: A day, of which every release counts, or a time in UTC.
        target: The only target that is meant; empty for all.
    """
    changes = registry.history.changes(target or None)
    found: dict[tuple[str, str], ServedThen] = {}
    for name in sorted(changes):
        moments = _moments(happened, (one.created for one in changes[name]))
        for moment in moments:
            one = _served(registry, model, name, moment)
            if one is not None:
                found.setdefault((name, one.digest), one)
    return tuple(found.values())[:MOST_SERVED]


def _moments(happened: str, times: Iterator[str]) -> Iterator[str]:
    """Yield the times at which releases are looked up: of a day, its start and each change."""
    if len(happened) > _DAY_LENGTH:
        yield happened
        return
    yield f"{happened}T00:00:00.000+00:00"
    yield from (one for one in times if one.startswith(happened))


def _served(registry: Registry, model: str, target: str, moment: str) -> ServedThen | None:
    release = served_at(registry, target, moment)
    if release is None or release.name != model:
        return None
    entries, head = _log(registry, target, moment)
    return ServedThen(
        target,
        f"{model}:{release.version}",
        release.release,
        release.since,
        release.until or "",
        release.by,
        release.on_trial,
        entries,
        head,
    )


def _log(registry: Registry, target: str, moment: str) -> tuple[int, str]:
    """Return length and last hash of the target's log at a time, where the target sent them."""
    for one in registry.releases(target):
        if one.created <= moment:
            log = ReleaseDetails.read(one.details).log
            if log is not None:
                return log.entries, log.head
    return 0, ""
