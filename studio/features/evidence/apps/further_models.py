"""The further models of an app, measured like the first, and their statements in one dossier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from studio.features.evidence.dossier.statement import Statement
from studio.features.evidence.results import MISSING, PRESENT, Figure
from studio.lazy_dataclass import dataclass

FOLDER = "models"
"""Folder of a dossier with a folder for each further model."""

QUALITY = frozenset(
    {
        "model.summary",
        "licence",
        "security.intake",
        "data.evaluation",
        "data.calibration",
        "quality.metrics",
        "quality.groups",
        "quality.calibration",
        "quality.robustness",
        "explanations",
    }
)
"""Subjects that each model has for itself; the others are about the app's release."""


@dataclass(frozen=True, slots=True)
class NamedStatement:
    """A statement about one model of an app."""

    model: str
    statement: Statement


def place_of(model: str) -> str:
    """Return the folder of a further model within a dossier."""
    return f"{FOLDER}/{model}"


def moved(model: str, statement: Statement) -> Statement:
    """Return the statement about a further model, with the names that its files have there."""
    place = place_of(model)
    return replace(
        statement,
        paragraphs=tuple(f"{model}: {text}" for text in statement.paragraphs),
        tables=tuple(replace(one, title=f"{model}: {one.title}") for one in statement.tables),
        figures=tuple(_moved_figure(model, place, one) for one in statement.figures),
        pictures=tuple(
            replace(one, file=f"{place}/{one.file}", caption=f"{model}: {one.caption}")
            for one in statement.pictures
        ),
    )


def _moved_figure(model: str, place: str, figure: Figure) -> Figure:
    return replace(
        figure,
        id=f"{model}.{figure.id}",
        title=f"{model}: {figure.title}",
        file=f"{place}/{figure.file}" if figure.file else "",
    )


def joined(
    first: str, made: Iterable[Statement], further: Iterable[NamedStatement]
) -> tuple[Statement, ...]:
    """Return the statements of the first model with those of the further ones.

    Args:
        first: Name of the first model in the app.
        made: Statements about it, and about the release.
    """
    by_subject: dict[str, list[NamedStatement]] = {}
    for one in further:
        if one.statement.subject in QUALITY:
            by_subject.setdefault(one.statement.subject, []).append(one)
    return tuple(_joined(first, one, by_subject) for one in made)


def _joined(first: str, own: Statement, others: Mapping[str, list[NamedStatement]]) -> Statement:
    found = others.get(own.subject)
    if not found:
        return own
    every = [NamedStatement(first, own), *found]
    absent = tuple(
        f"{one.model}: missing: {one.statement.note}"
        for one in every
        if one.statement.state == MISSING
    )
    present = [one for one in every if one.statement.state == PRESENT]
    if not present:
        return replace(own, note="; ".join(absent))
    texts = tuple(f"{first}: {text}" for text in own.paragraphs)
    rest = [moved(one.model, one.statement) for one in found]
    return replace(
        own,
        state=PRESENT,
        note=present[0].statement.note,
        paragraphs=(*texts, *(text for one in rest for text in one.paragraphs), *absent),
        tables=(*own.tables, *(table for one in rest for table in one.tables)),
        figures=(*own.figures, *(figure for one in rest for figure in one.figures)),
        pictures=(*own.pictures, *(picture for one in rest for picture in one.pictures)),
    )
