"""Statements about records of operation: chained logs, recorded decisions, overrides of persons."""

from __future__ import annotations

from collections.abc import Iterator

from studio.deployment.decisions.results import ExportedDecisions
from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.features.evidence.dossier.statement import Material, Statement, StatementTable, missing
from studio.features.evidence.folder.chains import place_of
from studio.features.evidence.records.files import chain_file
from studio.features.evidence.records.records import DECISIONS, RecordedRun
from studio.features.evidence.results import Figure

LOGS, OVERRIDES = "logs.export", "oversight.overrides"
_COUNTS = {
    "decisions": "Recorded decisions",
    "lost": "Decisions that were counted and not recorded",
    "forgotten": "Entries whose content was deleted on request",
}


def decision_facts(material: Material) -> Iterator[Statement]:
    """Yield the statements about logs, and about overrides."""
    run = material.records.run(DECISIONS)
    found = _read(run)
    yield _logs(material, run, found)
    yield _overrides(material, run, found)


def _logs(
    material: Material, run: RecordedRun | None, found: ExportedDecisions | None
) -> Statement:
    rows = tuple(
        (one.at[:19], one.target, one.log.entries, one.log.head)
        for one in material.records.releases
        if one.log is not None
    )
    if not rows and found is None:
        return missing(LOGS, "no target has sent its chained log")
    paragraphs: tuple[str, ...] = ()
    tables: tuple[StatementTable, ...] = ()
    if rows:
        paragraphs = (_CHAINED,)
        tables = (
            StatementTable(("at (UTC)", "target", "entries", "last hash"), rows, "Log", "  n "),
        )
    if found is not None:
        paragraphs += (_period(found),)
        tables += (_versions(found),)
    return Statement(
        LOGS,
        note="from the targets",
        paragraphs=paragraphs,
        tables=tables,
        figures=tuple(_figures(material, run, found, LOGS, _COUNTS)),
    )


_CHAINED = (
    "Each target chains its releases in a log. The registry keeps the length and the last hash "
    "after each change, so a shortened or altered log is found: studio verify-log TARGET."
)


def _period(found: ExportedDecisions) -> str:
    period = f"from {found.begin or 'the beginning'} to {found.end or found.at}"
    sentence = (
        f"The decisions of {found.target} {period} (UTC) are exported with their chain, "
        f"{found.entries:,} entries. Inputs are named by their SHA-256."
    )
    if found.fault is not None:
        return f"{sentence} The chain is broken at {place_of(found.fault)}."
    return f"{sentence} The chain was whole."


def _versions(found: ExportedDecisions) -> StatementTable:
    rows = tuple(
        (
            f"{one.model}:{one.version}",
            one.digest[:12],
            one.decisions,
            one.overrides,
            one.first,
            one.last,
        )
        for one in found.models
    )
    head = ("version", "digest", "decisions", "overrides", "first (UTC)", "last (UTC)")
    return StatementTable(head, rows, "Decisions", "  nn  ")


def _overrides(
    material: Material, run: RecordedRun | None, found: ExportedDecisions | None
) -> Statement:
    if found is None or run is None:
        return missing(
            OVERRIDES, "no decisions exported: studio decisions export TARGET --out FILE"
        )
    counts = found.counts
    sentence = (
        f"On {found.target}, persons have overruled {counts.overrides:,} of {counts.decisions:,} "
        "recorded decisions. Each override has its reason, its author and its time in the export."
    )
    figures = _figures(material, run, found, OVERRIDES, {"overrides": "Overrides by persons"})
    return Statement(
        OVERRIDES, note=f"exported {run.at[:10]}", paragraphs=(sentence,), figures=tuple(figures)
    )


def _figures(
    material: Material,
    run: RecordedRun | None,
    found: ExportedDecisions | None,
    section: str,
    titles: dict[str, str],
) -> Iterator[Figure]:
    if run is None or found is None or chain_file(run) not in material.files:
        return
    for name, title in titles.items():
        yield Figure(
            f"decisions.{name}",
            f"{title} on {found.target}",
            float(getattr(found.counts, name)),
            count=found.entries,
            file=chain_file(run),
            method="decisions",
            arguments={"count": name},
            origin=material.origin(run),
            section=section,
        )


def _read(run: RecordedRun | None) -> ExportedDecisions | None:
    """Return the result of an export; None where it has another form, as from an older version."""
    try:
        return None if run is None else from_json(ExportedDecisions, run.result)
    except InvalidDocument:
        return None
