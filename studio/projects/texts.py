"""Lines of the command line about projects."""

from __future__ import annotations

from studio.documents.text_table import table
from studio.projects.results import FIELDS, Project
from studio.projects.step import DraftResult


def project(found: Project) -> list[str]:
    """Return a row for each field with its source, then a line for each issue."""
    sources = {one.what: one for one in found.found}
    rows = []
    for name in (*FIELDS, "licence"):
        source = sources.get(name)
        where = "" if source is None else f"{source.where}{f': {source.why}' * bool(source.why)}"
        rows.append((name, _shown(getattr(found, name)), where))
    lines = table((found.model, "", "from"), rows)
    for issue in found.issues:
        lines.append(f"{issue.what}: {issue.text}{f' {issue.hint}' * bool(issue.hint)}")
    return lines


def draft(result: DraftResult) -> list[str]:
    """Return the text that was written, and what to check in it."""
    return [
        *result.text.splitlines(),
        f"Written to {result.path}. Check color, scale, mean and std in it.",
    ]


def _shown(value: str | tuple[str, ...] | None) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else value
    return text or "-"
