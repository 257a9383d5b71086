"""The incidents of a registry's models: each in a file next to the model's project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from studio.api import UsageError
from studio.features.evidence.incidents.clock import is_before, moment_of, state_of_incident, today
from studio.features.evidence.incidents.kinds import KIND_IDS, UNDECIDED, incident_rules
from studio.features.evidence.incidents.results import (
    OPEN,
    REPORT,
    Incident,
    IncidentEntry,
    IncidentState,
    ServedThen,
)
from studio.features.evidence.incidents.store import (
    MOST_SERVED,
    add_entry,
    find_incident,
    read_incidents,
)
from studio.features.evidence.records.records import ReleaseDetails
from studio.projects.projects import FOLDER
from studio.registry import Registry, component
from studio.registry.activity import now
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


class IncidentFiles:
    """The incidents of a registry's models, in a file for each model."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._folder = registry.folder.parent / FOLDER

    def file(self, model: str) -> Path:
        """Return the file of a model's incidents, which may not exist."""
        return self._folder / f"{component(model, 'A model')}.incidents.json"

    def of(self, model: str) -> tuple[IncidentState, ...]:
        """Return the incidents of a model as they are today, by number.

        Raises:
            StudioError: when the file is damaged or was altered.
        """
        return tuple(map(_state, read_incidents(self.file(model))))

    def incident(self, model: str, number: int) -> IncidentState:
        """Return an incident of a model.

        Raises:
            UsageError: when there is no such incident.
            StudioError: as of ``of``.
        """
        return _state(find_incident(read_incidents(self.file(model)), number))

    def open(
        self,
        model: str,
        title: str,
        text: str,
        by: str,
        happened: str,
        aware: str = "",
        kind: str = UNDECIDED,
        target: str = "",
    ) -> IncidentState:
        """Open an incident with what served when it happened.

        Args:
            happened: A day, or a time in UTC.
            aware: Since when the person has known of it; by default today.
            target: The only target that is meant; empty for all.

        Raises:
            UsageError: when a time, the kind or a text is not valid.
        """
        _check_kind(kind)
        happened = moment_of(happened, "Time of the incident")
        aware = moment_of(aware or today().isoformat(), "Time of awareness")
        if is_before(aware, happened):
            raise UsageError(
                f"Awareness on {aware} is before the incident on {happened}.",
                hint="Correct --happened or --aware.",
            )
        self._check_target(target)
        served = served_then(self._registry, model, happened, target)
        entry = IncidentEntry(
            0, OPEN, now(), by, text, title, happened, aware, kind=kind, served=served
        )
        return _state(add_entry(self.file(model), entry))

    def add(
        self, model: str, number: int, what: str, text: str, by: str, kind: str = ""
    ) -> IncidentState:
        """Add a note to an incident, or close it.

        Args:
            what: ``note`` or ``close``.
            kind: The kind that is decided with it; empty where it stays.

        Raises:
            UsageError: when the incident, the kind or a text is not valid.
        """
        if kind:
            _check_kind(kind)
        entry = IncidentEntry(number, what, now(), by, text, kind=kind)
        return _state(add_entry(self.file(model), entry))

    def report(
        self,
        model: str,
        number: int,
        text: str,
        by: str,
        authority: str,
        on: str = "",
        reference: str = "",
    ) -> IncidentState:
        """Record that an incident was reported; nothing is sent.

        Args:
            on: Day of the report; by default today.

        Raises:
            UsageError: when the incident, the day or a text is not valid.
        """
        known = find_incident(read_incidents(self.file(model)), number)
        day = moment_of(on or today().isoformat(), "Day of the report")[:10]
        if is_before(day, known.opened.aware):
            raise UsageError(
                f"A report on {day} is before awareness on {known.opened.aware}.",
                hint="Correct --on.",
            )
        entry = IncidentEntry(
            *(number, REPORT, now(), by, text),
            reported=day,
            authority=authority,
            reference=reference,
        )
        return _state(add_entry(self.file(model), entry))

    def _check_target(self, target: str) -> None:
        known = {one.name for one in self._registry.targets()} | set(
            self._registry.history.targets()
        )
        if target and target not in known:
            raise UsageError(
                f"Unknown target: {target[:80]!r}.", hint="studio target list shows them."
            )


def _state(incident: Incident) -> IncidentState:
    return state_of_incident(incident, incident_rules(), today())


def _check_kind(kind: str) -> None:
    if kind not in KIND_IDS:
        hint = f"Choose one of: {', '.join(KIND_IDS)}."
        raise UsageError(f"{kind[:80]!r} is no kind of incident.", hint=hint)
