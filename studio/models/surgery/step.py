"""The steps of surgery: edits of a model, one after the other, and which edits there are."""

from __future__ import annotations

from studio.api import Kind, Option
from studio.jobs.step import Arguments, Effect, Limits, Result, Step, Use

EDIT: Step[Arguments, Result] = Step(
    name="edit",
    title="Edit",
    summary="Rename, cut, fix sizes, fold constants, convert: each edit is checked.",
    options=(
        Option("model", Kind.MODEL, required=True, positional=True, help="The model."),
        Option(
            "edit",
            many=True,
            required=True,
            title="Edits",
            help="In order: rename x=image; dimensions batch=1; extract start=a end=b; prune; "
            "fold; opset 21.",
        ),
        Option("out", Kind.OUTPUT, title="Copy to", help="Where to put a copy of the new model."),
        Option("name", help="Name of the new variant.", advanced=True),
        Option("check", Kind.FLAG, title="Only try", help="Check the edits and keep nothing."),
    ),
    work="studio.models.surgery.work:edit",
    record="studio.models.surgery.record:edited",
    limits=Limits(memory_mb=16_384, seconds=900.0),
    effect=Effect.PURE,
    use=Use.EDIT,
)

EDITS: Step[Arguments, Result] = Step(
    name="edits",
    title="List of edits",
    summary="Say which edits there are for a model, with their options.",
    options=(Option("model", Kind.MODEL, required=True, positional=True, help="The model."),),
    work="studio.models.surgery.edits:offered",
    effect=Effect.PURE,
    use=Use.READ,
    in_history=False,
)
