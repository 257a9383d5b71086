"""Lines for people about the record of decisions."""

from __future__ import annotations

from studio.deployment.decisions.results import (
    DecisionsResult,
    EntryCounts,
    ExportedDecisions,
    ForgottenDecisions,
    ListResult,
    RecordFault,
    WhereResult,
)
from studio.documents.text_table import megabytes, table

_REFUSED = 4


def listed(result: ListResult) -> list[str]:
    """Return the newest entries, then what is recorded."""
    rows = [
        (one.at, one.event, one.request or "-", one.version or "-", one.text, one.by)
        for one in result.rows
    ]
    state = f"on, for {result.days} days" if result.on else "off"
    lines = list(table(("at (UTC)", "event", "request", "version", "text", "by"), rows))
    return [
        *lines,
        f"Record of {result.target}: {state}. {_counts(result.counts)}",
        *_of(result.fault),
    ]


def exported(result: ExportedDecisions) -> list[str]:
    """Return what was written."""
    lines = [
        f"{one.model}:{one.version}  {one.decisions:,} decisions, {one.overrides:,} overrides, "
        f"{one.first} to {one.last}"
        for one in result.models
    ]
    size = megabytes(result.bytes)
    lines.append(f"{result.entries:,} entries written to {result.output}, {size}.")
    return [*lines, _counts(result.counts), *_of(result.fault)]


def verified(result: DecisionsResult) -> list[str]:
    """Return whether the chain is whole."""
    if result.fault is not None:
        return [_counts(result.counts), *_of(result.fault)]
    return [
        f"Decisions of {result.target} verified: {result.entries:,} entries, "
        f"{result.anchors} local checkpoints.",
        _counts(result.counts),
    ]


def exit_code(result: DecisionsResult | ExportedDecisions) -> int:
    """Return the code of a refusal for a broken chain."""
    return 0 if result.fault is None else _REFUSED


def forgotten(result: ForgottenDecisions) -> list[str]:
    """Return how much was deleted."""
    if not result.forgotten:
        return [f"{result.target} has recorded nothing of it."]
    return [
        f"{result.forgotten:,} contents deleted on {result.target}. Their hashes stay in the "
        f"chain, with the time and the name {result.by}.",
        "Exported files keep theirs: see studio decisions where.",
    ]


def places(result: WhereResult) -> list[str]:
    """Return the places with data about persons."""
    lines: list[str] = []
    for one in result.places:
        lines += [
            f"{one.place:<7} {one.what}",
            f"{'':7} {one.where}, {megabytes(one.bytes)}",
            f"{'':7} kept: {one.kept}",
            f"{'':7} delete: {one.delete}",
        ]
    return lines


def _counts(counts: EntryCounts) -> str:
    parts = [f"{counts.decisions:,} decisions", f"{counts.overrides:,} overrides"]
    if counts.lost:
        parts.append(f"{counts.lost:,} not recorded")
    if counts.forgotten:
        parts.append(f"{counts.forgotten:,} forgotten")
    if counts.deleted:
        parts.append(f"{counts.deleted:,} deleted by age")
    return ", ".join(parts) + "."


def _of(fault: RecordFault | None) -> list[str]:
    if fault is None:
        return []
    at = f" ({fault.at})" if fault.at else ""
    where = f"{fault.file}, line {fault.line}" if fault.file else f"entry {fault.line}"
    return [f"The record is broken at {where}{at}: {fault.reason}."]
