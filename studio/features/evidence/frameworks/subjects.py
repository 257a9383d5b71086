"""The subjects of evidence, by which sections of different frameworks are compared."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

from studio.api import UsageError
from studio.documents.toml_text import TomlText, no_such
from studio.features.evidence.frameworks.fields import TableFields, read_toml, rows
from studio.lazy_dataclass import dataclass
from studio.settings.resources import resource

RECORDS, FORM = "records", "form"
TEXT, CHOICE, DATE = "text", "choice", "date"
PRESENT, ASKED, MISSING = "present", "asked", "missing"
"""States: a record or an answer exists, a person has to answer, or a record does not exist."""

_KINDS = (TEXT, CHOICE, DATE)
_KEYS = ("id", "title", "from", "record", "question", "who", "kind", "choices")


@dataclass(frozen=True, slots=True)
class EvidenceSubject:
    """Something that a dossier shows, or that a person answers.

    Attributes:
        id: Words with dots: ``quality.groups``.
        source: ``records``, which exist or do not, or ``form``, which a person fills in.
        record: What the records hold, of a subject from records.
        question: Of a subject of the form, with ``who`` should answer it.
        kind: Of the answer: ``text``, ``choice`` or ``date``.
    """

    id: str
    title: str
    source: str
    record: str = ""
    question: str = ""
    who: str = ""
    kind: str = TEXT
    choices: tuple[str, ...] = ()


@functools.cache
def subjects() -> Mapping[str, EvidenceSubject]:
    """Return all subjects by their ids, in the order of the file."""
    return parse_subjects(read_toml(resource("frameworks", "subjects.toml")))


@functools.cache
def app_subjects() -> Mapping[str, EvidenceSubject]:
    """Return the further subjects of a dossier about an app, in the order of their file."""
    return parse_subjects(read_toml(resource("frameworks", "app-subjects.toml")))


def title_of(name: str) -> str:
    """Return the title of a subject of a dossier, about a model or an app."""
    return (subjects().get(name) or app_subjects()[name]).title


def subject(name: str) -> EvidenceSubject:
    """Return a subject by its id.

    Raises:
        UsageError: when it is unknown, with the nearest one.
    """
    try:
        return subjects()[name]
    except KeyError:
        reason, hint = no_such(name[:80], subjects(), "subject")
        raise UsageError(f"{reason[0].upper()}{reason[1:]}", hint=hint) from None


def parse_subjects(toml: TomlText) -> Mapping[str, EvidenceSubject]:
    """Return the subjects of a text.

    Raises:
        UsageError: with file, line and column, for a wrong value or an id that stands twice.
    """
    found: dict[str, EvidenceSubject] = {}
    for key in toml.values:
        if key != "subjects":
            raise toml.unknown(["subjects"], key)
    for row in rows(toml, "subjects", _KEYS):
        one = _subject(row)
        if one.id in found:
            raise row.wrong(f"the subject {one.id!r} stands twice.", "id")
        found[one.id] = one
    return MappingProxyType(found)


def _subject(row: TableFields) -> EvidenceSubject:
    name, title = row.id(), row.text("title")
    if row.choice("from", (RECORDS, FORM)) == RECORDS:
        return EvidenceSubject(name, title, RECORDS, record=row.text("record"))
    kind, choices = row.choice("kind", _KINDS), row.texts("choices")
    if (kind == CHOICE) != bool(choices):
        raise row.wrong("choices belong to the kind choice, and to no other.", "kind")
    return EvidenceSubject(
        name,
        title,
        FORM,
        question=row.text("question"),
        who=row.text("who"),
        kind=kind,
        choices=choices,
    )
