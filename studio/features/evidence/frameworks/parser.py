"""Framework files: read strictly, with the place of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

from studio.documents.toml_text import TomlText
from studio.features.evidence.frameworks.fields import TableFields, read_toml, rows
from studio.features.evidence.frameworks.results import ApplicationDate, Framework, FrameworkSection
from studio.features.evidence.frameworks.subjects import subjects
from studio.lazy_dataclass import dataclass

_KEYS = (
    *("id", "title", "jurisdiction", "source", "url", "as_of", "note", "checked", "verified"),
    *("headings_only", "articles", "annexes", "dates", "sections"),
)
_DATE_KEYS = ("id", "day", "text", "source", "verified")
_SECTION_KEYS = (
    *("id", "cite", "heading", "wants", "applies", "subjects", "verified", "cites"),
)  # fmt: skip
_NUMBERED = re.compile(r"(art|annex)-(\d+|[ivxlc]+)(?:[.-].*)?")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}

Cited = Mapping[str, Collection[str]]
"""Ids of the sections that a file may cite, by framework."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """What the sections of one file are checked against."""

    verified: bool
    headings_only: bool
    highest: Mapping[str, int]
    dates: Collection[str]
    cited: Cited


def read_framework(file: Path, cited: Cited | None = None, *, own: bool = False) -> Framework:
    """Return the framework of a file.

    Args:
        cited: Sections of other frameworks that it may cite.
        own: Whether it is a file of the user.

    Raises:
        UsageError: naming file, line and column, and what is wrong there.
    """
    return parse_framework(read_toml(file), cited, own=own)


def parse_framework(toml: TomlText, cited: Cited | None = None, *, own: bool = False) -> Framework:
    """Return the framework of a text; arguments and errors as of ``read_framework``."""
    head = TableFields(toml, (), _KEYS)
    verified = head.flag("verified", default=False)
    dates = _dates(toml)
    rules = _Rules(
        verified,
        head.flag("headings_only", default=False),
        {"art": head.number("articles"), "annex": head.number("annexes")},
        frozenset(one.id for one in dates),
        cited or {},
    )
    return Framework(
        id=head.id(),
        title=head.text("title"),
        jurisdiction=head.text("jurisdiction"),
        source=head.text("source"),
        url=_url(head),
        as_of=head.day("as_of"),
        note=head.text("note"),
        checked=head.text("checked"),
        verified=verified,
        dates=dates,
        sections=_sections(toml, rules),
        own=own,
    )


def _url(head: TableFields) -> str:
    value = head.optional_text("url")
    if value and not value.startswith("https://"):
        raise head.wrong("url must begin with https://.", "url")
    return value


def _dates(toml: TomlText) -> tuple[ApplicationDate, ...]:
    found: dict[str, ApplicationDate] = {}
    for row in rows(toml, "dates", _DATE_KEYS, required=False):
        one = ApplicationDate(
            row.id(),
            row.day("day"),
            row.text("text"),
            row.text("source"),
            row.flag("verified", default=False),
        )
        if one.id in found:
            raise row.wrong(f"the date {one.id!r} stands twice.", "id")
        found[one.id] = one
    return tuple(found.values())


def _sections(toml: TomlText, rules: _Rules) -> tuple[FrameworkSection, ...]:
    found: dict[str, FrameworkSection] = {}
    for row in rows(toml, "sections", _SECTION_KEYS):
        one = _section(row, rules)
        if one.id in found:
            raise row.wrong(f"the section {one.id!r} stands twice.", "id")
        found[one.id] = one
    return tuple(found.values())


def _section(row: TableFields, rules: _Rules) -> FrameworkSection:
    name = row.id()
    _check_number(row, name, rules.highest)
    if rules.headings_only and "wants" in row.values:
        raise row.wrong("a framework of headings alone has no wants.", "wants")
    return FrameworkSection(
        id=name,
        cite=row.text("cite"),
        heading=row.text("heading"),
        wants="" if rules.headings_only else row.text("wants"),
        applies=row.known_texts("applies", rules.dates, "date"),
        subjects=row.known_texts("subjects", subjects(), "subject"),
        verified=row.flag("verified", default=rules.verified),
        cites=citations(row, rules.cited),
    )


def citations(row: TableFields, cited: Cited) -> tuple[str, ...]:
    """Return the sections that a table cites, as ``framework:section``.

    Raises:
        UsageError: for an unknown framework or article, with the nearest one.
    """
    found = row.texts("cites")
    for text in found:
        framework, _, section = text.partition(":")
        if framework not in cited:
            raise row.unknown("cites", framework, cited, "framework")
        if section not in cited[framework]:
            raise row.unknown("cites", section, cited[framework], f"article of {framework}")
    return found


def _check_number(row: TableFields, name: str, highest: Mapping[str, int]) -> None:
    """Refuse an article or annex beyond those that the source has."""
    match = _NUMBERED.fullmatch(name)
    if match is None or not highest[match[1]]:
        return
    word = "article" if match[1] == "art" else "annex"
    last = highest[match[1]]
    if not 0 < _value(match[2]) <= last:
        reason = f"unknown {word} {match[2]!r}: the source has {word} 1 to {last}."
        raise row.wrong(reason, "id")


def _value(number: str) -> int:
    """Return the value of a number in digits or small Roman letters."""
    if number.isdecimal():
        return int(number[:6])
    values = [_ROMAN[sign] for sign in number]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < after else value for value, after in pairs)
