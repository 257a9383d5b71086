"""The step that runs one sample of a model's data, and draws a few of them."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind
from studio.evaluation.results import SampleResult
from studio.jobs.options_form import option
from studio.jobs.step import Effect, Limits, Step, Use
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef

DATA_FIELDS = ("evaluation", "heldout", "calibration")
"""The fields of a project that have samples, the best first: those with labels."""


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """Options of the step ``sample``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    data: Path = option(kind=Kind.DATA, help="Samples.", project=DATA_FIELDS)
    labels: Path | None = option(
        None, kind=Kind.FILE, help="Class names, one per line.", project=("labels",)
    )
    dictionary: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Characters of a text recogniser, one per line.",
        project=("dictionary",),
    )
    pictures: int = option(8, minimum=0, maximum=64, help="Maximum number of drawn samples.")


SAMPLE: Step[SampleOptions, SampleResult] = Step(
    name="sample",
    title="Run a sample",
    summary="Run one sample of the data through a model, and draw a few samples.",
    options=SampleOptions,
    result=SampleResult,
    work="studio.evaluation.sample_work:run_sample",
    texts="studio.evaluation.sample_texts:sample",
    limits=Limits(seconds=120, silence=60),
    effect=Effect.PURE,
    use=Use.RUN,
    in_history=False,
)
