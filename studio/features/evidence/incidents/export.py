"""An incident as a folder for an authority: a page, the same as JSON, and digests of both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

import studio
from studio.documents.dataclass_json import to_json
from studio.documents.html import Html, page, paragraph, table
from studio.features.evidence.incidents.incident_files import IncidentFiles
from studio.features.evidence.incidents.kinds import IncidentRules, incident_rules
from studio.features.evidence.incidents.record import model_name
from studio.features.evidence.incidents.results import ExportedFile, IncidentExport, IncidentState
from studio.features.evidence.incidents.step import IncidentExportOptions
from studio.features.evidence.records.records import ReleaseDetails
from studio.lazy_dataclass import dataclass
from studio.registry import Registry
from studio.registry.activity import now
from studio.registry.copies import Copy
from studio.settings import resource

PAGE, DOCUMENT, SUMS = "incident.html", "incident.json", "SHA256SUMS"
FOLDER = "incident"
_MOST_CHANGES = 500


@dataclass(frozen=True, slots=True)
class ReleaseChange:
    """A change of a target that served when the incident happened."""

    target: str
    at: str
    state: str
    digest: str
    by: str
    reason: str
    log_entries: int
    log_head: str


@dataclass(frozen=True, slots=True)
class IncidentDocument:
    """The content of ``incident.json``.

    Attributes:
        changes: All recorded changes of the targets that served then, the oldest first.
        source, as_of, checked, counsel: Of the data of deadlines.
    """

    model: str
    exported: str
    tool: str
    source: str
    as_of: str
    checked: str
    counsel: str
    incident: IncidentState
    changes: tuple[ReleaseChange, ...]


def export(registry: Registry, options: IncidentExportOptions, folder: Path) -> IncidentExport:
    """Write the folder, and move it to its place.

    Raises:
        UsageError: when there is no such incident.
        StudioError: when the file of incidents is damaged, or the place is taken.
    """
    model = model_name(registry, options.model)
    incident = IncidentFiles(registry).incident(model, options.number)
    document = _document(registry, model, incident, incident_rules())
    source = folder / FOLDER
    source.mkdir()
    texts = {
        PAGE: incident_page(document),
        DOCUMENT: json.dumps(to_json(document), indent=1, sort_keys=True) + "\n",
    }
    for name, text in texts.items():
        (source / name).write_text(text, encoding="utf-8")
    files = tuple(
        ExportedFile(name, hashlib.sha256(text.encode("utf-8")).hexdigest())
        for name, text in texts.items()
    )
    (source / SUMS).write_text(_sums(files), encoding="ascii")
    copy = Copy.begin(source, str(options.out))
    assert copy is not None
    return IncidentExport(model, incident.number, str(copy.finish()), files)


def _sums(files: Iterable[ExportedFile]) -> str:
    """Return the digests as ``sha256sum --check`` reads them."""
    return "".join(f"{one.hash}  {one.name}\n" for one in files)


def _document(
    registry: Registry, model: str, incident: IncidentState, rules: IncidentRules
) -> IncidentDocument:
    return IncidentDocument(
        model,
        now(),
        f"Edgewright {studio.__version__}",
        rules.source,
        rules.as_of,
        rules.checked,
        rules.counsel,
        incident,
        tuple(_changes(registry, incident)),
    )


def _changes(registry: Registry, incident: IncidentState) -> Iterator[ReleaseChange]:
    for target in sorted({one.target for one in incident.served}):
        for row in reversed(registry.releases(target)[:_MOST_CHANGES]):
            details = ReleaseDetails.read(row.details)
            log = details.log
            yield ReleaseChange(
                row.target,
                row.created,
                row.state,
                row.digest,
                details.by or "",
                details.reason or "",
                log.entries if log else 0,
                log.head if log else "",
            )


def incident_page(document: IncidentDocument) -> str:
    """Return the page, which runs nothing and loads nothing."""
    style = "\n".join(
        resource("templates", name).read_text(encoding="utf-8")
        for name in ("report.css", "dossier.css")
    )
    title = f"Incident {document.incident.number} of {document.model}"
    return page(title, style, _body(title, document))


def _body(title: str, document: IncidentDocument) -> Iterator[str]:
    incident = document.incident
    yield Html(f"<h1>{escape(title)}: {escape(incident.title)}</h1>")
    yield paragraph(f"Exported {_time(document.exported)} UTC by {document.tool}.", "dim")
    yield _section("State", _facts(incident), ("field", "value"))
    yield paragraph(
        f"{document.source}, data of {document.as_of}. {document.checked} {document.counsel}", "dim"
    )
    yield _section("Released when it happened", _served(incident), _SERVED)
    if not incident.served:
        yield paragraph("The registry has no release of this model on a target at that time.")
    yield _section("Entries", _entries(incident), _ENTRIES)
    yield _section("Changes of these targets", _log_rows(document), _CHANGES)
    yield paragraph(
        "Each hash covers the entry and the hash before it. SHA256SUMS has the digests of this "
        "page and of incident.json.",
        "dim",
    )


_SERVED = ("target", "version", "digest", "since (UTC)", "until (UTC)", "by", "log")
_ENTRIES = ("at (UTC)", "entry", "by", "text", "hash")
_CHANGES = ("at (UTC)", "target", "state", "digest", "by", "reason", "log")


def _section(title: str, rows: list[tuple[str, ...]], head: tuple[str, ...]) -> Html:
    content = table(head, rows) if rows else ""
    return Html(f"<section><h2>{escape(title)}</h2>{content}</section>")


def _facts(incident: IncidentState) -> list[tuple[str, ...]]:
    return [
        ("Kind", incident.kind_title),
        ("State", incident.state),
        ("Happened (UTC)", _time(incident.happened)),
        ("Aware since (UTC)", _time(incident.aware)),
        ("Clock", incident.clock.text),
        ("Last hash", incident.head),
    ]


def _served(incident: IncidentState) -> list[tuple[str, ...]]:
    return [
        (
            *(one.target, f"{one.version}{', on trial' if one.on_trial else ''}", one.digest),
            *(_time(one.since), _time(one.until) or "still", one.by),
            _log_text(one.log_entries, one.log_head),
        )
        for one in incident.served
    ]


def _entries(incident: IncidentState) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for one in incident.entries:
        extra = [f"kind: {one.kind}" if one.kind else ""]
        extra += [f"reported {one.reported} to {one.authority}" if one.reported else ""]
        extra += [f"reference {one.reference}" if one.reference else ""]
        what = ", ".join(filter(None, (one.what, *extra)))
        found.append((_time(one.at), what, one.by, one.text, one.hash))
    return found


def _log_rows(document: IncidentDocument) -> list[tuple[str, ...]]:
    return [
        (
            *(_time(one.at), one.target, one.state, one.digest, one.by, one.reason),
            _log_text(one.log_entries, one.log_head),
        )
        for one in document.changes
    ]


def _time(text: str) -> str:
    return text[:19].replace("T", " ")


def _log_text(entries: int, head: str) -> str:
    noun = "entry" if entries == 1 else "entries"
    return f"{entries} {noun}, {head}" if head else "not sent"
