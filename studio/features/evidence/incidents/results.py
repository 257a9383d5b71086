"""Incidents of a model, their entries, and results of the steps about them."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.features.evidence.incidents.kinds import UNDECIDED
from studio.lazy_dataclass import dataclass

OPEN, NOTE, REPORT, CLOSE = "open", "note", "report", "close"
"""What an entry does."""
CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ServedThen:
    """A release of the model that a target had when the incident happened.

    Attributes:
        digest: Of the release.
        until: End of its period; empty where it still serves.
        log_entries, log_head: The target's chained log then, where the target had sent it.
    """

    target: str
    version: str
    digest: str
    since: str
    until: str = ""
    by: str = ""
    on_trial: bool = False
    log_entries: int = 0
    log_head: str = ""


@dataclass(frozen=True, slots=True)
class IncidentEntry:
    """One entry about an incident; none is ever changed or removed.

    Attributes:
        incident: Number of the incident, from 1.
        what: ``open``, ``note``, ``report`` or ``close``.
        at: UTC time of the entry.
        title, happened, aware, served: Of the first entry.
        kind: A kind that was decided with this entry; empty where it stays.
        reported: Day of a report.
        authority, reference: To whom it went, and the authority's number for it.
        hash: SHA-256 over the hash of the incident's entry before and this entry's content.
    """

    incident: int
    what: str
    at: str
    by: str
    text: str
    title: str = optional("")
    happened: str = optional("")
    aware: str = optional("")
    kind: str = optional("")
    served: tuple[ServedThen, ...] = optional(())
    reported: str = optional("")
    authority: str = optional("")
    reference: str = optional("")
    hash: str = optional("")


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident with its entries, the oldest first; the first one opens it."""

    entries: tuple[IncidentEntry, ...]

    @property
    def opened(self) -> IncidentEntry:
        """The first entry."""
        return self.entries[0]

    @property
    def number(self) -> int:
        """Number of the incident, from 1."""
        return self.opened.incident

    @property
    def kind(self) -> str:
        """The kind that was decided last."""
        return next((one.kind for one in reversed(self.entries) if one.kind), UNDECIDED)

    @property
    def reported(self) -> str:
        """Day of the first report; empty without one."""
        return next((one.reported for one in self.entries if one.what == REPORT), "")

    @property
    def state(self) -> str:
        """``open`` or ``closed``."""
        return CLOSED if any(one.what == CLOSE for one in self.entries) else OPEN

    @property
    def head(self) -> str:
        """Hash of the last entry."""
        return self.entries[-1].hash


@dataclass(frozen=True, slots=True)
class IncidentClock:
    """The days for a report.

    Attributes:
        deadline: Last day for a report, UTC; empty where no report is due.
        days: Days left, negative after the deadline. None where the clock does not run.
        text: The same in words.
    """

    deadline: str
    days: int | None
    text: str


@dataclass(frozen=True, slots=True)
class IncidentState:
    """An incident as it is now.

    Attributes:
        kind: Id of the kind; ``kind_title``: the same in words.
        state: ``open`` or ``closed``.
        reported: Day of the first report; empty without one.
        head: Hash of the last entry.
    """

    number: int
    title: str
    kind: str
    kind_title: str
    state: str
    happened: str
    aware: str
    reported: str
    clock: IncidentClock
    served: tuple[ServedThen, ...]
    entries: tuple[IncidentEntry, ...]
    head: str


@dataclass(frozen=True, slots=True)
class IncidentResult:
    """The result of the steps that add an entry."""

    model: str
    incident: IncidentState


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of an export with its SHA-256, hexadecimal."""

    name: str
    hash: str


@dataclass(frozen=True, slots=True)
class IncidentExport:
    """The result of ``incident-export``.

    Attributes:
        output: The folder.
        files: The page and the document.
    """

    model: str
    number: int
    output: str
    files: tuple[ExportedFile, ...]
