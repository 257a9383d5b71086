"""Results of edits of a model."""

from __future__ import annotations

from collections.abc import Mapping

from studio.api import Option
from studio.documents.dataclass_json import InvalidDocument, from_json, optional
from studio.lazy_dataclass import dataclass
from studio.models.results import ModelFigures


@dataclass(frozen=True, slots=True)
class Equality:
    """The distance of an edited model's numbers from those before.

    Attributes:
        max_error: Largest absolute difference, over all outputs and samples.
        samples: How many were compared; 0 where there was nothing to compare with.
    """

    max_error: float
    samples: int


@dataclass(frozen=True, slots=True)
class EditOutcome:
    """The outcome of one edit.

    Attributes:
        edit: The edit as it was written.
        text: What was done.
        nodes: Number of nodes afterwards.
        equality: None where the outputs differ by design.
    """

    edit: str
    text: str
    nodes: int
    equality: Equality | None = None


@dataclass(frozen=True, slots=True)
class EditedFiles:
    """The edited model below the job's folder; from the work to its record.

    Attributes:
        files: Number of files.
    """

    file: str
    files: int
    summary: ModelFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class EditResult:
    """A model that was edited, or whose edits were only tried.

    Attributes:
        output, model, variant, name: Of the new variant; left out where nothing was kept.
        kept: Whether it became a variant.
        made: Between the work and its record only.
    """

    output: str = optional("")
    model: str = optional("")
    variant: int = optional(0)
    name: str = optional("")
    nodes: int
    edits: tuple[EditOutcome, ...]
    bytes: int
    kept: bool
    made: EditedFiles | None = optional()


@dataclass(frozen=True, slots=True)
class OfferedEdit:
    """An edit that a plugin offers."""

    id: str
    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class EditsResult:
    """The edits that there are for a model."""

    edits: tuple[OfferedEdit, ...]


@dataclass(frozen=True, slots=True)
class _EditedSummary:
    """The part of a variant's summary that an edit has written."""

    edits: tuple[EditOutcome, ...] = ()


def edits_of(summary: Mapping[str, object]) -> tuple[EditOutcome, ...]:
    """Return the edits in the summary of a variant; none where it was made otherwise."""
    try:
        return from_json(_EditedSummary, summary).edits
    except InvalidDocument:
        return ()
