"""Tables of profiles that were made, for people."""

from __future__ import annotations

from collections.abc import Sequence

from studio.documents.text_table import table
from studio.profiling.export import ExportResult
from studio.profiling.history import ProfileComparison, ProfileLine


def export(result: ExportResult) -> list[str]:
    """Return the path of the file that was written."""
    return [f"Written: {result.output}"]


def profiles(lines: Sequence[ProfileLine]) -> list[str]:
    """Return a table of profiles."""
    head = ("run", "at", "target", "mode", "models", "backends", "fastest", "best", "")
    rows = [
        (
            line.run,
            line.at[:16].replace("T", " "),
            line.target,
            line.mode,
            ", ".join(line.models),
            ", ".join(line.backends),
            line.fastest or "-",
            _number(line.best),
            line.unit,
        )
        for line in lines
    ]
    return table(head, rows, "r      r") if rows else ["No profiles yet."]


def comparison(found: ProfileComparison) -> list[str]:
    """Return a table of the variants in both profiles, then what is different."""
    head = ("run", "before", "after", "ratio", "interval", "verdict", "against the reference")
    rows = [
        (
            row.id,
            _number(row.before),
            _number(row.after),
            _number(row.ratio),
            "-" if row.low is None else f"{row.low:.3f} to {row.high:.3f}",
            row.verdict,
            _number(row.relative),
        )
        for row in found.rows
    ]
    lines = table(head, rows, " rrrr r") if rows else []
    for names, when in ((found.only_before, "before"), (found.only_after, "after")):
        if names:
            lines.append(f"Only {when}: {', '.join(names)}")
    lines += [f"{d.key}: {d.before} before, {d.after} after" for d in found.differences]
    return [*lines, *found.notes]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
