"""The step that measures quality on corrupted samples."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind
from studio.features.evidence.groups.step import GROUPS
from studio.features.evidence.robustness.results import RobustnessResult
from studio.jobs import Effect, Step
from studio.jobs.options_form import like, option
from studio.jobs.step import Use
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef

_OF_GROUPS = {one.name: one for one in GROUPS.form}


@dataclass(frozen=True, slots=True)
class RobustnessOptions:
    """Options of the step ``robustness``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    data: Path = option(kind=Kind.DATA, help="Labelled samples.", project=("heldout", "evaluation"))
    metric: str = like(_OF_GROUPS["metric"], "auto")
    severity: tuple[int, ...] = option(
        (1, 3, 5),
        minimum=1,
        maximum=5,
        title="Severities",
        help="Severities of each corruption, 1 to 5.",
    )
    family: tuple[str, ...] = option(
        (),
        title="Families",
        help="Families of corruptions, such as noise and blur (default: all that suit the data).",
    )
    attack: bool = option(
        False, help="Also search for changes that break right answers of a classifier."
    )
    require: float | None = option(
        None,
        title="Minimum of each family",
        help="Lowest accepted mean figure of a family; below it the command exits with 3.",
    )
    samples: int = option(
        200,
        minimum=1,
        maximum=1_000_000,
        help="Maximum number of samples, spread evenly over the data.",
    )
    epsilon: float = option(
        0.03,
        minimum=0.0001,
        maximum=1,
        help="Largest change by the attack, as a share of the range of the input.",
        advanced=True,
    )
    runs: int = option(
        200,
        minimum=1,
        maximum=10_000,
        title="Runs of the attack",
        help="Most runs of the model for each attacked sample.",
        advanced=True,
    )
    attacked: int = option(
        50,
        minimum=1,
        maximum=10_000,
        title="Attacked samples",
        help="Maximum number of attacked samples.",
        advanced=True,
    )
    seed: int = option(
        0, minimum=0, maximum=2**31 - 1, help="Seed of all random numbers.", advanced=True
    )
    dictionary: Path | None = like(_OF_GROUPS["dictionary"])
    label_map: Path | None = like(_OF_GROUPS["label_map"])
    outputs: Path | None = like(_OF_GROUPS["outputs"])


ROBUSTNESS: Step[RobustnessOptions, RobustnessResult] = Step(
    name="robustness",
    spreads=True,
    title="Robustness",
    summary="Measure quality on corrupted samples: noise, blur, weather, digital damage, attacks.",
    options=RobustnessOptions,
    result=RobustnessResult,
    work="studio.features.evidence.robustness.work:robustness",
    record="studio.features.evidence.robustness.work:recorded",
    effect=Effect.PURE,
    use=Use.RUN,
    has_command=True,
    texts="studio.features.evidence.robustness.texts:robustness",
    exit_code="studio.features.evidence.robustness.texts:exit_code",
)
