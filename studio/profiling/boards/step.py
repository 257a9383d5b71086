"""The step of studies: the same variants on many boards, with one table of verdicts."""

from __future__ import annotations

from studio.api import Kind, Permission, TargetSpec
from studio.jobs import Effect, Limits, Step, Use
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.profiling.boards.results import StudyResult
from studio.profiling.step import BenchSettings, ProfiledVariants


@dataclass(frozen=True)
class OnBoards(ProfiledVariants):
    """The variants of a study and its boards."""

    target: tuple[TargetSpec, ...] | None = option(
        None,
        kind=Kind.TARGET,
        title="Boards",
        help="Target names, @GROUP, or @LABEL=VALUE for all targets with a label.",
    )
    parallel: int = option(
        8,
        minimum=1,
        maximum=256,
        help="Number of boards measured at the same time. Boards that are one machine take turns.",
    )
    resume: str | None = option(
        None,
        help="Continue an interrupted study, by its name, or last: finished boards are kept.",
        advanced=True,
    )


@dataclass(frozen=True)
class StudyOptions(BenchSettings, OnBoards):
    """Options of the step ``study``."""


STUDY: Step[StudyOptions, StudyResult] = Step(
    name="study",
    title="Study on boards",
    summary="Benchmark variants on many boards and compare them in one table.",
    options=StudyOptions,
    result=StudyResult,
    work="studio.profiling.boards.work:study",
    prepare="studio.profiling.boards.record:prepare",
    record="studio.profiling.boards.record:studied",
    texts="studio.profiling.boards.texts:study",
    needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    limits=Limits(seconds=7 * 86_400),
    effect=Effect.LOOKS,
    use=Use.RUN,
)
