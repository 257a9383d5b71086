"""Results of evaluations: metrics, errors at the outputs, and the runtimes behind them."""

from __future__ import annotations

from studio.datasets.results import DrawnInput
from studio.documents.dataclass_json import optional
from studio.evaluation.language.results import LanguageScore
from studio.lazy_dataclass import dataclass
from studio.models.results import Answer


@dataclass(frozen=True, slots=True)
class RuntimeVersion:
    """A runtime and its version."""

    id: str
    version: str

    @property
    def title(self) -> str:
        """Both in one text: ``onnxruntime 1.22.0``."""
        return f"{self.id} {self.version}"


@dataclass(frozen=True, slots=True)
class OutputError:
    """The distance of one output from the float model's.

    Attributes:
        sqnr_db: Signal to quantization noise ratio in decibels, over all samples.
        max_error: Largest absolute difference.
    """

    name: str
    sqnr_db: float
    max_error: float


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A metric of one model."""

    name: str
    title: str
    value: float


@dataclass(frozen=True, slots=True)
class HeldoutValue:
    """The metric of one model on samples that no search has used."""

    value: float
    samples: int


@dataclass(frozen=True, slots=True)
class MetricChange:
    """The task metric of a variant and of the float model.

    Attributes:
        drop: How much worse it has become, without the noise of a float's last bits; negative
            when it is better.
        samples: Number of samples; 0 where it is not known.
        lost, gained: Names of samples that are read worse, or better, than by the float model.
        changed: How many were lost and gained, named or not.
    """

    name: str
    title: str
    before: float
    after: float
    drop: float
    samples: int = 0
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    changed: tuple[int, int] = (0, 0)

    @property
    def heading(self) -> str:
        """Title of the metric."""
        return self.title or self.name

    @property
    def is_error(self) -> bool:
        """Whether a lower value is better, which follows from the loss."""
        if not self.drop:
            return self.name == "cer"
        return (self.after - self.before) * self.drop > 0


@dataclass(frozen=True, slots=True)
class TargetEvaluation:
    """The same evaluation by the runtime of a target.

    Attributes:
        drop: How much worse the metric is there.
        lost, gained: Names of samples that are read worse, or better, than on this computer.
        changed: How many were lost and gained, named or not.
    """

    name: str
    value: float
    drop: float
    runtime: str | None
    version: str | None
    lost: tuple[str, ...]
    gained: tuple[str, ...]
    changed: tuple[int, int]


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """A model's quality on labelled data, here and on a target where one was named.

    Attributes:
        heldout: The metric on held-out data, where there are some with labels.
        notes: Why held-out data was not used.
        language: All figures of a language model; None for other models.
    """

    model: str
    metric: MetricValue
    samples: int
    backend: RuntimeVersion
    target: TargetEvaluation | None
    seconds: float
    heldout: HeldoutValue | None = optional()
    notes: tuple[str, ...] = optional(())
    language: LanguageScore | None = optional()


@dataclass(frozen=True, slots=True)
class SampleRun:
    """The output of a model for one sample.

    Attributes:
        sample: Name of the sample.
        milliseconds: Median of a few runs after the first, with all cores.
        outputs: A first ``outputs.toml``, where the outputs have a known form.
        meaning: What they mean, in one line.
    """

    answer: Answer
    sample: str
    milliseconds: float
    outputs: str = optional("")
    meaning: str = optional("")


@dataclass(frozen=True, slots=True)
class SampleResult:
    """One run of a model, and pictures of its data.

    Attributes:
        run: None where it failed.
        problem: Why the run failed, in one sentence.
        hint: How to correct that.
        pictures: Samples that are pictures, evenly from the data.
        unreadable: Number of pictures that could not be read.
    """

    run: SampleRun | None
    problem: str = ""
    hint: str = ""
    pictures: tuple[DrawnInput, ...] = ()
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class OutputsResult:
    """An ``outputs.toml`` of a model.

    Attributes:
        meaning: What the outputs mean, in one line.
        path: Where it was written; empty where it was only shown.
    """

    text: str
    meaning: str
    path: str = optional("")
