"""Kinds of serious incidents with the days for a report, as dated data."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from studio.documents.toml_text import TomlText
from studio.features.evidence.frameworks.fields import TableFields, read_toml, rows
from studio.lazy_dataclass import dataclass
from studio.settings.resources import resource

UNDECIDED, NOT_SERIOUS = "undecided", "not-serious"
"""Kinds without days of their own: a person has not decided, or has decided that it is not."""

TITLES = {UNDECIDED: "Not decided", NOT_SERIOUS: "Not serious"}
_HEAD_KEYS = ("framework", "source", "url", "as_of", "checked", "counsel", "kinds")
_KIND_KEYS = ("id", "title", "days", "section", "cite")


@dataclass(frozen=True, slots=True)
class IncidentKind:
    """A kind of serious incident.

    Attributes:
        days: Days after awareness in which a report is due.
        section: Section of the framework, as ``art-73``.
        cite: The paragraph.
    """

    id: str
    title: str
    days: int
    section: str
    cite: str


@dataclass(frozen=True, slots=True)
class IncidentRules:
    """All kinds, with their source and the day of the data.

    Attributes:
        checked: What the data was compared with.
        counsel: What the days leave out.
    """

    framework: str
    source: str
    url: str
    as_of: str
    checked: str
    counsel: str
    kinds: Mapping[str, IncidentKind]

    @property
    def shortest(self) -> int:
        """Days of the kind with the earliest report."""
        return min(one.days for one in self.kinds.values())

    def title(self, kind: str) -> str:
        """Return the title of a kind, also of one that a later version has dropped."""
        if kind in TITLES:
            return TITLES[kind]
        return self.kinds[kind].title if kind in self.kinds else kind


@functools.cache
def incident_rules() -> IncidentRules:
    """Return the kinds that ship with the studio."""
    return parse_rules(read_toml(resource("frameworks", "incidents.toml")))


def parse_rules(toml: TomlText) -> IncidentRules:
    """Return the kinds of a text.

    Raises:
        UsageError: with file, line and column, for a wrong value or a kind that stands twice.
    """
    head = TableFields(toml, (), _HEAD_KEYS)
    found: dict[str, IncidentKind] = {}
    for row in rows(toml, "kinds", _KIND_KEYS):
        one = _kind(row)
        if one.id in found or one.id in TITLES:
            raise row.wrong(f"the kind {one.id!r} stands twice.", "id")
        found[one.id] = one
    return IncidentRules(
        head.id("framework"),
        head.text("source"),
        head.text("url"),
        head.day("as_of"),
        head.text("checked"),
        head.text("counsel"),
        MappingProxyType(found),
    )


def _kind(row: TableFields) -> IncidentKind:
    if "days" not in row.values:
        raise row.toml.wrong("days is missing.", *row.path)
    days = row.number("days")
    return IncidentKind(row.id(), row.text("title"), days, row.id("section"), row.text("cite"))


KIND_IDS = (
    *(UNDECIDED, "death", "health", "critical-infrastructure", "fundamental-rights"),
    *("widespread-infringement", "property-environment", NOT_SERIOUS),
)
"""What a person can choose; a test compares it with the data, which the parser reads later."""
