"""The step that measures quality by group of samples."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind
from studio.features.evidence.groups.results import GroupsResult
from studio.jobs import Effect, Step
from studio.jobs.options_form import like, option
from studio.jobs.step import Use
from studio.lazy_dataclass import dataclass
from studio.quantization.step import EVALUATE
from studio.registry import ModelRef

_OF_EVALUATE = {one.name: one for one in EVALUATE.form}


@dataclass(frozen=True, slots=True)
class GroupsOptions:
    """Options of the step ``groups``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    data: Path = option(kind=Kind.DATA, help="Labelled samples.", project=("heldout", "evaluation"))
    groups: Path | None = option(
        None,
        kind=Kind.FILE,
        help="CSV file with the groups of each sample: sample,script,blur in its first line.",
        project=("groups",),
    )
    by: tuple[str, ...] = option(
        (),
        title="Group by",
        help="Column of the groups, or brightness:3, blur:3, size:3, object-size:3, length:3, "
        "script, label. a*b is an intersection (default: all columns of the file, else label, "
        "length or object-size).",
    )
    against: ModelRef | None = option(
        None,
        kind=Kind.MODEL,
        title="Compare with",
        help="Another variant, compared on the same samples.",
    )
    metric: str = like(_OF_EVALUATE["metric"], "auto")
    require: float | None = option(
        None,
        title="Minimum of the worst group",
        help="Lowest accepted figure of the worst group; below it the command exits with 3.",
    )
    samples: int = option(
        10_000,
        minimum=1,
        maximum=1_000_000,
        help="Maximum number of samples, spread evenly over the data.",
    )
    least: int = option(
        5,
        minimum=1,
        maximum=1_000_000,
        title="Fewest samples",
        help="Fewest samples of a group that can be the worst one.",
        advanced=True,
    )
    table: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Table of samples",
        help="CSV file for the answer, figure and groups of each sample.",
    )
    seed: int = option(
        0,
        minimum=0,
        maximum=2**31 - 1,
        help="Seed of the bootstrap and of the permutation tests.",
        advanced=True,
    )
    dictionary: Path | None = like(_OF_EVALUATE["dictionary"])
    label_map: Path | None = like(_OF_EVALUATE["label_map"])
    outputs: Path | None = like(_OF_EVALUATE["outputs"])


GROUPS: Step[GroupsOptions, GroupsResult] = Step(
    name="groups",
    spreads=True,
    title="Quality by group",
    summary="Measure quality by group of samples with intervals, the worst group and calibration.",
    options=GroupsOptions,
    result=GroupsResult,
    work="studio.features.evidence.groups.work:groups",
    record="studio.features.evidence.groups.work:recorded",
    effect=Effect.PURE,
    use=Use.RUN,
    has_command=True,
    texts="studio.features.evidence.groups.texts:groups",
    exit_code="studio.features.evidence.groups.texts:exit_code",
)
