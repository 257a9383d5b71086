"""A statement of a dossier about one subject: paragraphs, tables, figures and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from studio.features.evidence.records.records import RecordedRun, Records
from studio.features.evidence.results import MISSING, PRESENT, Figure, Origin, Section
from studio.lazy_dataclass import dataclass

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class StatementTable:
    """A table of a statement.

    Attributes:
        numbers: ``n`` at the position of each right-aligned column.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    numbers: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file of the folder with its description."""

    file: str
    caption: str


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement about a subject.

    Attributes:
        subject: Identifier of the subject (``model.summary``).
        note: Where it comes from, or what would make it present.
    """

    subject: str
    state: str = PRESENT
    note: str = ""
    paragraphs: tuple[str, ...] = ()
    tables: tuple[StatementTable, ...] = ()
    figures: tuple[Figure, ...] = ()
    pictures: tuple[Picture, ...] = ()

    def section(self, title: str) -> Section:
        """Return the entry of this statement in the list of sections."""
        return Section(self.subject, title, self.state, self.note)


def missing(subject: str, note: str) -> Statement:
    """Return a subject without records, with what would make it present."""
    return Statement(subject, MISSING, note)


@dataclass(slots=True)
class Material:
    """The records of a subject, and the files that were written of them.

    Attributes:
        folder: The evidence folder.
        files: Names of written files, with the run or the record in each.
        data_name, data_digest: Name and SHA-256 of the labelled data; empty without data.
        samples: Number of measured samples; None without data.
        code: Version of the studio.
    """

    records: Records
    folder: Path
    code: str
    data_name: str = ""
    data_digest: str = ""
    samples: int | None = None
    files: dict[str, str] = field(default_factory=dict)

    def origin(self, run: RecordedRun | None = None, data: str = "") -> Origin:
        """Return the origin of a figure: of a run, or computed for this folder."""
        if run is None:
            return Origin(self.records.subject.digest, data, self.code)
        inputs = run.result.get("inputs")
        used = inputs.get("data", "") if isinstance(inputs, Mapping) else ""
        return Origin(self.records.subject.digest, str(used or data), self.code, run.name, run.at)


def figures_in(statements: Iterable[Statement]) -> tuple[Figure, ...]:
    """Return the figures of all statements, in their order."""
    return tuple(figure for one in statements for figure in one.figures)
