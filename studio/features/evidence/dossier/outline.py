"""The dossier as data: its chapters after a framework, its statements, and its coverages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from studio.features.evidence.dossier.statement import Statement, figures_in, missing
from studio.features.evidence.frameworks.coverage import coverage
from studio.features.evidence.frameworks.results import (
    Framework,
    FrameworkCoverage,
    SectionCoverage,
)
from studio.features.evidence.frameworks.subjects import (
    FORM,
    EvidenceSubject,
    app_subjects,
    subjects,
    title_of,
)
from studio.features.evidence.results import ASKED, PRESENT, AssessedVersion, Figure, Section
from studio.lazy_dataclass import dataclass

CHAPTERS_OF = "eu-ai-act"
CHAPTERS = "annex-iv."
"""Sections by which the dossier is ordered: the technical documentation of Annex IV."""


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What a person has written about a subject."""

    text: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Requested:
    """Who is to answer a question, and since when (UTC)."""

    of: str
    at: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """All statements about a subject, in the order of their chapters.

    Attributes:
        created: UTC time, ISO 8601.
        statements: Of each subject of evidence, by its id; about an app also of its own.
        coverages: Of each chosen framework.
        files: Description of each file of the folder by its name.
    """

    subject: AssessedVersion
    created: str
    tools: Mapping[str, str]
    statements: Mapping[str, Statement]
    coverages: tuple[FrameworkCoverage, ...]
    files: Mapping[str, str]

    @property
    def chapters(self) -> tuple[SectionCoverage, ...]:
        """Sections of Annex IV, with their states."""
        order = next(one for one in self.coverages if one.framework == CHAPTERS_OF)
        return tuple(one for one in order.sections if one.id.startswith(CHAPTERS))

    @property
    def rest(self) -> tuple[str, ...]:
        """Ids of the subjects that no chapter names, those of an app left out."""
        in_chapters = {part.id for chapter in self.chapters for part in chapter.subjects}
        left_out = in_chapters.union(app_subjects())
        return tuple(name for name in self.statements if name not in left_out)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of all statements."""
        return figures_in(self.statements.values())

    @property
    def sections(self) -> tuple[Section, ...]:
        """All subjects with their states, in the order of the catalogue."""
        return tuple(one.section(title_of(name)) for name, one in self.statements.items())


def outline(
    subject: AssessedVersion,
    created: str,
    tools: Mapping[str, str],
    made: Iterable[Statement],
    answers: Mapping[str, WrittenAnswer],
    frameworks: Sequence[Framework],
    files: Mapping[str, str],
    requests: Mapping[str, Requested] = MappingProxyType({}),
) -> Dossier:
    """Return the dossier of some statements and answers.

    Args:
        made: Statements from records; a subject without one is missing.
        requests: Persons who were named for questions without an answer.
        frameworks: Those whose coverage is shown; the one of the chapters must be among them.
    """
    by_subject = {one.subject: one for one in made}
    statements = {
        one.id: stated(one, by_subject.get(one.id), answers.get(one.id), requests.get(one.id))
        for one in subjects().values()
    }
    states = {name: one.state for name, one in statements.items()}
    statements |= {one: by_subject[one] for one in app_subjects() if one in by_subject}
    coverages = tuple(coverage(one, states, frameworks) for one in frameworks)
    return Dossier(subject, created, tools, statements, coverages, files)


def stated(
    subject: EvidenceSubject,
    made: Statement | None,
    answer: WrittenAnswer | None,
    requested: Requested | None = None,
) -> Statement:
    """Return the statement about a subject: of a person, from records, or that it is open."""
    if answer is not None:
        note = f"written by {answer.by}, {answer.at[:10]}"
        return _with_records(
            Statement(subject.id, PRESENT, note, paragraphs=(answer.text,)), subject, made
        )
    if subject.source == FORM:
        who = subject.who
        if requested is not None:
            who = f"{requested.of}, since {requested.at[:10]}"
        return _with_records(
            Statement(subject.id, ASKED, f"{who}: {subject.question}"), subject, made
        )
    return made or missing(subject.id, subject.record)


def _with_records(
    statement: Statement, subject: EvidenceSubject, made: Statement | None
) -> Statement:
    """Return the statement of a person, followed by what records add to it."""
    if made is None or subject.source != FORM:
        return statement
    return replace(
        statement,
        paragraphs=(*statement.paragraphs, *made.paragraphs),
        tables=made.tables,
        figures=made.figures,
    )
