"""Results of quality by group: figures with intervals, comparisons, and calibration."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval; None where it is not known."""

    low: float | None
    high: float | None
    method: str


@dataclass(frozen=True, slots=True)
class MeanDifference:
    """The difference of two means.

    Attributes:
        value: First minus second; None without samples.
        low, high: Its 95 % confidence interval.
        p: Two-sided p-value of no difference.
        p_adjusted: The same after Holm, over all groups of the report.
    """

    value: float | None
    low: float | None
    high: float | None
    p: float | None
    method: str
    p_adjusted: float | None = optional()

    @property
    def is_significant(self) -> bool:
        """Whether the adjusted p-value is below 5 %; the plain one where nothing was adjusted."""
        p = self.p if self.p_adjusted is None else self.p_adjusted
        return p is not None and p < 0.05


@dataclass(frozen=True, slots=True)
class GroupCell:
    """The quality of one group.

    Attributes:
        column: What the samples are grouped by; empty for all samples.
        group: Name of the group.
        value: Mean figure of its samples; None for a group without one.
        low, high: 95 % confidence interval of the mean.
        method: Method of the interval.
        rest: Its mean minus that of the column's other samples.
        against: Its mean minus that of the other variant on the same samples.
        ece: Calibration error of its samples, where confidences are known.
    """

    column: str
    group: str
    samples: int
    value: float | None
    low: float | None
    high: float | None
    method: str
    rest: MeanDifference | None = optional()
    against: MeanDifference | None = optional()
    ece: float | None = optional()


@dataclass(frozen=True, slots=True)
class WorstGroup:
    """The group with the lowest figure.

    Attributes:
        value: Its mean figure.
        accuracy: The same where all figures are 0 or 1; None for other figures.
        significant: Whether it is lower than the rest, after Holm over all groups.
        gap: How much it is below all samples.
    """

    column: str
    group: str
    samples: int
    value: float
    accuracy: float | None
    low: float | None
    high: float | None
    significant: bool
    gap: float


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Samples of similar confidence.

    Attributes:
        low, high: Bounds of the confidence, the lower one not included.
        confidence: Mean confidence.
        right: Share of right answers.
    """

    low: float
    high: float
    samples: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The agreement of a model's confidences with its share of right answers.

    Attributes:
        ece: Expected calibration error, in bins of equal width.
        low, high: 95 % confidence interval of it by the bootstrap.
        ece_debiased: The same without the bias of a small number of samples.
        chance: Mean error that a perfectly calibrated model would have with these confidences.
        p: Share of such models with an error at least as large.
        ece_mass: The same in bins of equally many samples.
        mce: Largest error of a bin.
        brier: Brier score: of the second class for two classes, else over all classes; None where
            only the confidence of the answer is known.
        confidence: Mean confidence.
        accuracy: Share of right answers.
    """

    samples: int
    ece: float
    low: float
    high: float
    ece_debiased: float
    ece_mass: float
    mce: float
    brier: float | None
    confidence: float
    accuracy: float
    bins: tuple[CalibrationBin, ...]
    chance: float = 0.0
    p: float = 1.0

    @property
    def is_significant(self) -> bool:
        """Whether the error is more than chance (5 %)."""
        return self.p < 0.05


@dataclass(frozen=True, slots=True)
class GroupColumn:
    """What samples are grouped by.

    Attributes:
        groups: Number of groups.
        without: Number of samples that have no group.
    """

    name: str
    groups: int
    without: int


@dataclass(frozen=True, slots=True)
class GroupReport:
    """Quality by group, computed of a table of samples alone.

    Attributes:
        overall: All samples.
        groups: Every group of every column.
        worst_group: None where no group has enough samples.
        calibration: None without confidences.
        seed: Of the bootstrap and of the permutation tests.
        least: Fewest samples of a group that can be the worst.
    """

    overall: GroupCell
    columns: tuple[GroupColumn, ...]
    groups: tuple[GroupCell, ...]
    worst_group: WorstGroup | None
    calibration: Calibration | None
    seed: int
    least: int


@dataclass(frozen=True, slots=True)
class GroupsResult:
    """Quality by group of one model.

    Attributes:
        metric, title: The metric whose figures are compared.
        figure: The figure of one sample, whose mean is compared.
        against: The other variant as ``MODEL:VARIANT``.
        confidences: How confidences follow from the outputs: ``probabilities``, ``softmax``,
            ``scores``, ``binary``, ``texts``, or empty without any.
        table: SHA-256 of the table of samples as CSV.
        required: The lowest accepted figure of the worst group; None without one.
        passed: Whether the worst group reaches it.
        output: File of the table, where one was written.
    """

    model: str
    metric: str
    title: str
    samples: int
    overall: GroupCell
    columns: tuple[GroupColumn, ...]
    groups: tuple[GroupCell, ...]
    worst_group: WorstGroup | None
    calibration: Calibration | None
    confidences: str
    against: str | None
    table: str
    seed: int
    least: int
    required: float | None
    passed: bool
    output: str | None = None
    notes: tuple[str, ...] = ()
    figure: str = ""
