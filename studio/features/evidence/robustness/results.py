"""Results of robustness: the figure of each corruption, and of each family."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.features.evidence.groups.results import Interval, MeanDifference
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CorruptionRow:
    """The quality under one corruption at one severity.

    Attributes:
        value: Mean figure of the samples.
        interval: 95 % confidence interval of it.
        change: Its difference to the clean samples, paired.
    """

    family: str
    corruption: str
    severity: int
    value: float
    interval: Interval
    change: MeanDifference


@dataclass(frozen=True, slots=True)
class FamilyFigures:
    """The mean figure of each family, over its corruptions and severities.

    Attributes:
        mean: Mean over the families that were applied.
        worst: The lowest of them.
        adversarial: Share of attacked samples that no change in the box made wrong. It is neither
            in the mean nor in the worst.
    """

    mean: float
    worst: float
    noise: float | None = optional()
    blur: float | None = optional()
    weather: float | None = optional()
    digital: float | None = optional()
    dropout: float | None = optional()
    offset: float | None = optional()
    clipping: float | None = optional()
    missing: float | None = optional()
    typos: float | None = optional()
    adversarial: float | None = optional()


@dataclass(frozen=True, slots=True)
class AttackResult:
    """The outcome of the attack.

    Attributes:
        samples: Attacked samples; one that was wrong before counts as broken.
        held: How many kept their right answer.
        epsilon: Largest change, as a share of the range of the input.
        runs: Most runs of the model for a sample.
        interval: 95 % confidence interval of the share that held.
    """

    samples: int
    held: int
    epsilon: float
    runs: int
    interval: Interval


@dataclass(frozen=True, slots=True)
class RobustnessResult:
    """The quality of a model on corrupted samples.

    Attributes:
        figure: The figure of one sample, whose mean is compared.
        clean: Mean figure of the clean samples.
        interval: 95 % confidence interval of it.
        applied_to: What was corrupted: picture files, or pictures, numbers or texts in the input.
        low, high: Range of the input's numbers in the clean samples.
        required: The lowest accepted figure of a family; None without one.
        passed: Whether each family reaches it.
    """

    model: str
    metric: str
    title: str
    samples: int
    clean: float
    interval: Interval
    robustness: FamilyFigures
    rows: tuple[CorruptionRow, ...]
    applied_to: str
    low: float
    high: float
    severities: tuple[int, ...]
    seed: int
    attack: AttackResult | None
    required: float | None
    passed: bool
    figure: str = ""
