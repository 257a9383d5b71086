"""The survey of a variant's evidence; reads the registry and the folder of the project."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.features.evidence.dossier.card import HEADINGS
from studio.features.evidence.dossier.figure_texts import interval_text, value_text
from studio.features.evidence.dossier.outline import CHAPTERS, CHAPTERS_OF, Requested, WrittenAnswer
from studio.features.evidence.dossier.statement import Statement
from studio.features.evidence.dossier.survey import LastMeasurements, survey
from studio.features.evidence.explanations.results import ExplainResult
from studio.features.evidence.form.forms import EvidenceForms
from studio.features.evidence.frameworks.catalogue import shipped
from studio.features.evidence.frameworks.subjects import FORM, EvidenceSubject, subjects
from studio.features.evidence.groups.results import GroupsResult
from studio.features.evidence.records.collect import collect
from studio.features.evidence.records.subject import Named
from studio.features.evidence.robustness.results import RobustnessResult
from studio.features.evidence.survey.views import (
    EvidenceSection,
    EvidenceSurvey,
    SectionGroup,
    SectionTable,
)
from studio.registry import Registry, VariantRecord

MODEL_CARD, DOSSIER, FURTHER = "Model card", "Dossier", "Further records"
_MOST_ROWS = 60
_COMMAND = ": studio"
"""Begins the command in a note, which the window has a button for."""

FormT = TypeVar("FormT")


def read_survey(registry: Registry, forms: EvidenceForms, variant: VariantRecord) -> EvidenceSurvey:
    """Return the sections about a variant.

    Raises:
        StudioError: when the form or the incidents of the model are damaged.
    """
    last = last_measurements(registry, variant.id)
    form = forms.of(variant.model_name)
    answers = {name: WrittenAnswer(one.text, one.by, one.at) for name, one in form.latest().items()}
    requests = {name: Requested(one.of, one.at) for name, one in form.pending().items()}
    records = collect(registry, _named(registry, variant))
    found = survey(records, last, answers, requests)
    sections = {
        name: _section(subjects()[name], one, answers.get(name), requests.get(name))
        for name, one in found.items()
    }
    card = tuple(SectionGroup(title, names) for title, names in HEADINGS.items())
    on_card = tuple(name for group in card for name in group.sections)
    rest = tuple(name for name in _in_chapters() if name not in on_card)
    overview = (SectionGroup(MODEL_CARD, on_card), SectionGroup(DOSSIER, rest))
    return EvidenceSurvey(
        variant.id,
        sections,
        overview,
        card,
        _chapters(),
        last.groups,
        last.robustness,
        last.explanations,
        last.times,
        _grouped_by(registry, variant.id),
        records.incidents,
    )


def last_measurements(registry: Registry, variant: int) -> LastMeasurements:
    """Return the newest measurements of a variant; one in an unknown form is left out."""
    groups, groups_at = last_result(registry, "groups", GroupsResult, variant)
    robustness, robustness_at = last_result(registry, "robustness", RobustnessResult, variant)
    explanations, explained_at = last_result(registry, "explain", ExplainResult, variant)
    times = {"groups": groups_at, "robustness": robustness_at, "explain": explained_at}
    return LastMeasurements(groups, robustness, explanations, times)


def last_result(
    registry: Registry, step: str, form: type[FormT], variant: int
) -> tuple[FormT | None, str]:
    """Return the newest result of a step with its time; None for one in an unknown form."""
    for run in registry.runs(step, variant, 1):
        try:
            return from_json(form, run.result), run.created
        except InvalidDocument:
            break
    return None, ""


def _grouped_by(registry: Registry, variant: int) -> tuple[str, ...]:
    for run in registry.runs("groups", variant, 1):
        by = run.options.get("by")
        return tuple(map(str, by)) if isinstance(by, list) else ()
    return ()


def _named(registry: Registry, variant: VariantRecord) -> Named:
    """Return a variant with its newest version, where it was packaged."""
    versions = registry.versions(variant.model)
    return Named(variant, next((one for one in versions if one.variant == variant.id), None))


def _chapters() -> tuple[SectionGroup, ...]:
    """Return the chapters of Annex IV, and what none of them names; each subject once."""
    framework = next(one for one in shipped() if one.id == CHAPTERS_OF)
    left = dict.fromkeys(subjects())
    found = []
    for section in framework.sections:
        if section.id.startswith(CHAPTERS):
            names = tuple(name for name in section.subjects if name in left)
            for name in names:
                del left[name]
            found.append(SectionGroup(f"{section.cite}  {section.heading}", names))
    found.append(SectionGroup(FURTHER, tuple(left)))
    return tuple(group for group in found if group.sections)


def _in_chapters() -> Iterator[str]:
    for group in _chapters():
        yield from group.sections


def _section(
    subject: EvidenceSubject,
    statement: Statement,
    answer: WrittenAnswer | None,
    requested: Requested | None,
) -> EvidenceSection:
    asked = subject.source == FORM
    note = statement.note.partition(_COMMAND)[0]
    if asked and answer is None:
        note = f"for the {subject.who}"
    return EvidenceSection(
        subject.id,
        subject.title,
        statement.state,
        note,
        subject.question,
        subject.who,
        subject.kind if asked else "",
        subject.choices,
        answer.text if answer is not None else "",
        (requested.of, requested.at) if requested is not None else ("", ""),
        statement.paragraphs,
        tuple(_tables(statement)),
    )


def _tables(statement: Statement) -> Iterator[SectionTable]:
    if statement.figures:
        rows = tuple((one.title, value_text(one), interval_text(one)) for one in statement.figures)
        yield _table("", ("figure", "value", "95 % interval"), rows[:_MOST_ROWS], " nn")
    for table in statement.tables:
        cells = (tuple(map(_cell, row)) for row in table.rows[:_MOST_ROWS])
        yield _table(table.title, table.head, tuple(cells), table.numbers)


def _table(
    title: str, head: tuple[str, ...], rows: tuple[tuple[str, ...], ...], numbers: str
) -> SectionTable:
    """Return a table without the columns that would be empty."""
    kept = [place for place in range(len(head)) if any(row[place] for row in rows)]
    marks = numbers.ljust(len(head))
    return SectionTable(
        title,
        tuple(f"{head[place][:1].upper()}{head[place][1:]}" for place in kept),
        tuple(tuple(row[place] for place in kept) for row in rows),
        "".join(marks[place] for place in kept),
    )


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
