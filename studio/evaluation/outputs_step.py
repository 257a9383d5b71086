"""The step that writes what a model's outputs mean next to the model."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from studio.api import Kind
from studio.evaluation.results import OutputsResult
from studio.evaluation.sample_step import DATA_FIELDS
from studio.jobs.options_form import option
from studio.jobs.step import Limits, Step, Use
from studio.lazy_dataclass import dataclass
from studio.models.outputs.words import TITLES
from studio.registry import ModelRef
from studio.runtime.serve.decoders.settings import HEADS, TASKS

_RECOGNISED = "Recognised by default."


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputsOptions:
    """Options of the step ``project-outputs``; what is not given is recognised."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    data: Path | None = option(
        None, kind=Kind.DATA, help="Samples; made-up inputs without any.", project=DATA_FIELDS
    )
    labels: Path | None = option(
        None, kind=Kind.FILE, help="Class names, one per line.", project=("labels",)
    )
    dictionary: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Characters of a text recogniser, one per line.",
        project=("dictionary",),
    )
    task: str | None = option(
        None,
        title="Meaning",
        help=f"What the outputs mean. {_RECOGNISED}",
        choices=TASKS,
        choice_titles=tuple(TITLES[one] for one in TASKS),
    )
    head: str | None = option(
        None,
        title="Head",
        help=f"Form of outputs with objects. {_RECOGNISED}",
        choices=HEADS,
    )
    output: str | None = option(
        None,
        title="Output",
        placeholder="the first",
        help="Name of the output with the scores; by default the first.",
    )
    activation: Literal["auto", "none", "sigmoid", "softmax"] | None = option(
        None, title="Activation", placeholder="default", help="What makes scores of logits."
    )
    threshold: float | None = option(
        None,
        title="Least score",
        placeholder="default",
        minimum=0,
        maximum=1,
        help="Least score of an object.",
    )
    overlap: float | None = option(
        None,
        title="Overlap",
        placeholder="default",
        minimum=0,
        maximum=1,
        help="Boxes of a class that cover each other by more are one object.",
    )
    point_score: float | None = option(
        None,
        title="Least score of a point",
        placeholder="default",
        minimum=0,
        maximum=1,
        help="Least score of a key point that counts.",
    )
    mask_score: float | None = option(
        None,
        title="Least score of a mask",
        placeholder="default",
        minimum=0,
        maximum=1,
        help="Least likelihood of a pixel of a mask.",
    )
    background: Literal["none", "first", "last"] | None = option(
        None, title="Background", placeholder="default", help="Position of the class for nothing."
    )
    unit: str | None = option(None, title="Unit", help="Unit of the values of a regression.")
    rate_hz: int | None = option(
        None,
        title="Sampling rate",
        placeholder="default",
        minimum=4000,
        maximum=192000,
        help="Samples a second of speech (default: 22050).",
    )
    language: str | None = option(
        None,
        title="Voice of espeak-ng",
        placeholder="default",
        help="Voice of espeak-ng that gives the phonemes of speech, such as en-us.",
    )
    replace: bool = option(False, help="Replace an outputs.toml that is there.")
    dry_run: bool = option(False, help="Show the file and write nothing.")


SETTINGS = (
    "task",
    "head",
    "output",
    "activation",
    "threshold",
    "overlap",
    "point_score",
    "mask_score",
    "background",
    "unit",
    "rate_hz",
    "language",
)
"""Options that are keys of the file."""

PROJECT_OUTPUTS: Step[OutputsOptions, OutputsResult] = Step(
    name="project-outputs",
    title="Write an outputs.toml for",
    summary="Recognise what the outputs of a model mean, and write it as outputs.toml next to it.",
    options=OutputsOptions,
    result=OutputsResult,
    work="studio.evaluation.outputs_work:find_outputs",
    record="studio.evaluation.outputs_record:keep",
    texts="studio.evaluation.sample_texts:outputs",
    limits=Limits(seconds=120, silence=60),
    use=Use.RUN,
)
