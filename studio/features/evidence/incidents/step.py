"""The steps that keep a model's incidents."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind
from studio.features.evidence.incidents.kinds import KIND_IDS, UNDECIDED
from studio.features.evidence.incidents.results import IncidentExport, IncidentResult
from studio.jobs import Step, Use
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef

_DECIDED = "Whether it is serious is a person's decision."


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncidentOptions:
    """Options of the step ``incident-open``."""

    model: ModelRef = option(
        kind=Kind.MODEL, positional=True, help="The model, a version of it, or a target."
    )
    title: str = option(help="Title of the incident, in one line.")
    text: str = option(help="What happened, and whom it affects.")
    happened: str = option(
        title="Happened", help="Day, or time in UTC, such as 2026-11-30T14:05.", placeholder="day"
    )
    aware: str | None = option(
        None, title="Aware since", help="Day or UTC time of awareness (default: today)."
    )
    decided: str = option(
        UNDECIDED,
        key="kind",
        kind=Kind.CHOICE,
        choices=KIND_IDS,
        title="Kind",
        help=f"Kind, which sets the deadline. {_DECIDED}",
    )
    target: str | None = option(
        None, title="Target", help="The only target that is meant (default: all that served then)."
    )
    by: str = option(title="By", help="Who opens it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentNoteOptions:
    """Options of the step ``incident-note``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    number: int = option(positional=True, minimum=1, help="Number of the incident.")
    text: str = option(help="The note. Earlier entries stay.")
    decided: str | None = option(
        None,
        key="kind",
        kind=Kind.CHOICE,
        choices=KIND_IDS,
        title="Kind",
        help=f"Another kind, which sets the deadline. {_DECIDED}",
    )
    by: str = option(title="By", help="Who writes it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentReportOptions:
    """Options of the step ``incident-report``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    number: int = option(positional=True, minimum=1, help="Number of the incident.")
    to: str = option(title="Authority", help="Authority that received the report.")
    text: str = option(help="What was reported. Nothing is sent.")
    on: str | None = option(None, title="Day", help="Day of the report (default: today).")
    reference: str | None = option(
        None, title="Reference", help="Number that the authority gave the report."
    )
    by: str = option(title="By", help="Who reported.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIncidentOptions:
    """Options of the step ``incident-close``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    number: int = option(positional=True, minimum=1, help="Number of the incident.")
    text: str = option(help="Cause, and what was changed.")
    by: str = option(title="By", help="Who closes it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentExportOptions:
    """Options of the step ``incident-export``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    number: int = option(positional=True, minimum=1, help="Number of the incident.")
    out: Path = option(kind=Kind.OUTPUT, title="Folder", help="Folder to write.")


INCIDENT_OPEN: Step[OpenIncidentOptions, IncidentResult] = Step(
    name="incident-open",
    title="Open an incident of",
    summary="Open an incident of a model, with what served when it happened.",
    options=OpenIncidentOptions,
    result=IncidentResult,
    complete="studio.features.evidence.incidents.record:with_model",
    record="studio.features.evidence.incidents.record:open_incident",
    texts="studio.features.evidence.incidents.texts:added",
    use=Use.READ,
)

INCIDENT_NOTE: Step[IncidentNoteOptions, IncidentResult] = Step(
    name="incident-note",
    title="Add a note to an incident of",
    summary="Add a note to an incident, with author and time; decide its kind.",
    options=IncidentNoteOptions,
    result=IncidentResult,
    complete="studio.features.evidence.incidents.record:with_model",
    record="studio.features.evidence.incidents.record:add_note",
    texts="studio.features.evidence.incidents.texts:added",
    use=Use.READ,
)

INCIDENT_REPORT: Step[IncidentReportOptions, IncidentResult] = Step(
    name="incident-report",
    title="Record the report of an incident of",
    summary="Record that an incident was reported to an authority; nothing is sent.",
    options=IncidentReportOptions,
    result=IncidentResult,
    complete="studio.features.evidence.incidents.record:with_model",
    record="studio.features.evidence.incidents.record:add_report",
    texts="studio.features.evidence.incidents.texts:added",
    use=Use.READ,
)

INCIDENT_CLOSE: Step[CloseIncidentOptions, IncidentResult] = Step(
    name="incident-close",
    title="Close an incident of",
    summary="Close an incident with its cause; its entries stay.",
    options=CloseIncidentOptions,
    result=IncidentResult,
    complete="studio.features.evidence.incidents.record:with_model",
    record="studio.features.evidence.incidents.record:close_incident",
    texts="studio.features.evidence.incidents.texts:added",
    use=Use.READ,
)

INCIDENT_EXPORT: Step[IncidentExportOptions, IncidentExport] = Step(
    name="incident-export",
    title="Export an incident of",
    summary="Write an incident as a page and JSON for an authority, with digests.",
    options=IncidentExportOptions,
    result=IncidentExport,
    complete="studio.features.evidence.incidents.record:with_model",
    record="studio.features.evidence.incidents.export:export",
    texts="studio.features.evidence.incidents.texts:exported",
    use=Use.READ,
)
