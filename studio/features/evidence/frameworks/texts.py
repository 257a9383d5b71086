"""Lines of the command line, and Markdown, about frameworks."""

from __future__ import annotations

from collections.abc import Sequence

from studio.documents.text_table import table
from studio.features.evidence.frameworks.catalogue import shipped
from studio.features.evidence.frameworks.results import (
    ApplicationDate,
    CrosswalkRow,
    Framework,
)

NOT_CHECKED = "not checked against the source"
LEGEND = f"(*) {NOT_CHECKED}."
_MARK = "(*)"
STATES = {
    "present": "present",
    "partial": "in part",
    "asked": "question open",
    "missing": "no record",
    "outside": "not kept here",
}
"""States of a section, or of a subject, for people."""


def citation(name: str) -> str:
    """Return a section such as ``eu-ai-act:art-12`` as its source names it, with its days."""
    framework_id, _, section_id = name.partition(":")
    for one in shipped():
        section = one.section(section_id) if one.id == framework_id else None
        if section is not None:
            days = _days([one.date(applies) for applies in section.applies])
            return f"{one.title}, {section.cite}{f', from {days}' * bool(days)}"
    return name


def frameworks(found: Sequence[Framework]) -> list[str]:
    """Return a row for each framework, then what the data is."""
    rows = [
        (one.id, one.title, one.jurisdiction, len(one.sections), one.as_of, _checked(one.verified))
        for one in found
    ]
    head = ("id", "title", "jurisdiction", "sections", "as of", "")
    return [*table(head, rows, right="   r"), "", *_notes(found)]


def sections(found: Framework) -> list[str]:
    """Return source and notes of a framework, then a row for each section."""
    rows = [
        (
            one.cite,
            one.heading,
            ", ".join(one.subjects) or STATES["outside"],
            _days([found.date(name) for name in one.applies]),
            _checked(one.verified),
        )
        for one in found.sections
    ]
    lines = [
        f"{found.title}, data of {found.as_of}",
        found.source,
        f"{found.note} {found.checked}",
        "",
        *table(("section", "heading", "evidence", "applies from", ""), rows),
    ]
    unsure = [one for one in found.dates if not one.verified]
    return [*lines, "", LEGEND] if unsure else lines


def crosswalk(found: Sequence[CrosswalkRow]) -> list[str]:
    """Return a row for each subject, with the number of sections of each framework."""
    names = list(found[0].sections) if found else []
    rows = [
        (one.subject, one.title, one.source, *(len(one.sections[name]) or "" for name in names))
        for one in found
    ]
    return table(("subject", "title", "from", *names), rows, right="   " + "r" * len(names))


def _notes(found: Sequence[Framework]) -> list[str]:
    return [f"{one.title}: {one.note} {one.checked}" for one in found]


def _checked(verified: bool) -> str:
    return "" if verified else NOT_CHECKED


def _days(applies: Sequence[ApplicationDate]) -> str:
    return ", ".join(one.day if one.verified else f"{one.day} {_MARK}" for one in applies)
