"""The steps of surgery: edits of a model, one after the other, and which edits there are."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind
from studio.jobs.options_form import option
from studio.jobs.step import Effect, Limits, Step, Use
from studio.lazy_dataclass import dataclass
from studio.models.surgery.results import EditResult, EditsResult
from studio.registry import ModelRef


@dataclass(frozen=True, slots=True)
class EditOptions:
    """Options of the step ``edit``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    edit: tuple[str, ...] = option(
        title="Edits",
        help="Edits in order: rename x=image; dimensions batch=1; constant sr=16000; "
        "extract start=a end=b; prune; fold; opset 21.",
    )
    out: Path | None = option(
        None, kind=Kind.OUTPUT, title="Copy to", help="File or folder for a copy of the new model."
    )
    name: str | None = option(None, help="Name of the new variant.", advanced=True)
    check: bool | None = option(None, title="Dry run", help="Check the edits and store nothing.")


EDIT: Step[EditOptions, EditResult] = Step(
    name="edit",
    title="Edit",
    summary="Edit a model: rename, extract, prune, fix dimensions, fold constants, "
    "convert the opset.",
    options=EditOptions,
    result=EditResult,
    work="studio.models.surgery.work:edit",
    record="studio.models.surgery.record:edited",
    limits=Limits(memory_mb=16_384, seconds=900.0),
    effect=Effect.PURE,
    use=Use.EDIT,
    texts="studio.models.texts:edited",
)


@dataclass(frozen=True, slots=True)
class EditsOptions:
    """Options of the step ``edits``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")


EDITS: Step[EditsOptions, EditsResult] = Step(
    name="edits",
    title="List of edits",
    summary="Say which edits there are for a model, with their options.",
    options=EditsOptions,
    result=EditsResult,
    work="studio.models.surgery.edits:offered",
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
)
