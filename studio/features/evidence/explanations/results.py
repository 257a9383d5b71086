"""Results of the step explain."""

from __future__ import annotations

from studio.documents.dataclass_json import keyed, optional
from studio.evaluation.results import RuntimeVersion
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class FeatureShare:
    """The share of one feature in a score.

    Attributes:
        name: Of the column, or the token.
        value: In the sample.
        share: How much the feature adds to the score; negative where it lowers the score.
    """

    name: str
    value: float
    share: float


@dataclass(frozen=True, slots=True)
class MapComparison:
    """The same explanation of another variant.

    Attributes:
        model: The variant as ``MODEL:VARIANT``.
        score: Of the same class.
        rank_correlation: Spearman's correlation of both maps, from -1 to 1.
        top_overlap: Intersection over union of the tenth of the places that count most.
        map: Name of its map in the file of maps.
    """

    model: str
    score: float
    rank_correlation: float
    top_overlap: float
    map: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """The sum of the values of a map, compared with the change of the score.

    Attributes:
        total: Sum of the values.
        change: Of the score, from the reference to the sample.
        residual: The sum without the change; nearer to 0 with more steps.
        steps: Of the integral.
    """

    total: float
    change: float
    residual: float
    steps: int


@dataclass(frozen=True, slots=True)
class SanityCheck:
    """The explanation compared with those of the same model with shuffled weights.

    Attributes:
        rank_correlations: One for each shuffle.
        mean: Of these; near 0 for a method that depends on the model.
        passed: Whether the mean is below the limit.
    """

    rank_correlations: tuple[float, ...]
    mean: float
    passed: bool


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """A feature of a sample, and its value in another sample."""

    name: str
    value: float
    other: float


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The most similar sample of the data with another class.

    Attributes:
        label: The class that the model answers there.
        score: Of the explained class.
        distance: Mean difference of the values, in their standard deviations over the data.
        changes: Features of a row with other values.
    """

    name: str
    label: str
    score: float
    distance: float
    changes: tuple[FeatureChange, ...] = optional(())


@dataclass(frozen=True, slots=True)
class CurveAreas:
    """Areas below the curves of the score, with the curves.

    Attributes:
        deletion: Mean score while the places are removed, the most important first.
        insertion: Mean score while they are added.
        shares: Of the places, from 0 to 1, for the two curves.
    """

    deletion: float
    insertion: float
    shares: tuple[float, ...]
    deleted: tuple[float, ...]
    inserted: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleExplanation:
    """The explanation of one score of one sample.

    Attributes:
        kind: ``picture``, ``signal``, ``row`` or ``text``.
        label: Name of the class.
        class_number: Its number.
        score: Of the sample.
        reference_score: Of the reference, which the map starts from.
        evaluations: Samples that the map needed.
        seconds: For the map alone.
        map: Name of the map in the file of maps.
        box: Of the object, in pixels of the input; None without a detector.
        stability: Rank correlation of the maps by either half of the evaluations; None where
            nothing was sampled.
        completeness: Of integrated gradients; None for other methods.
        counterfactual: None where no sample of the data has another class.
    """

    name: str
    kind: str
    method: str
    label: str
    class_number: int = keyed("class")
    score: float
    reference_score: float
    evaluations: int
    seconds: float
    map: str
    box: tuple[float, ...] | None = optional()
    curves: CurveAreas | None = optional()
    stability: float | None = optional()
    completeness: Completeness | None = optional()
    features: tuple[FeatureShare, ...] = optional(())
    counterfactual: Counterfactual | None = optional()
    against: tuple[MapComparison, ...] = optional(())
    sanity: SanityCheck | None = optional()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainResult:
    """Explanations of samples, with all that is needed to compute them again.

    Attributes:
        model: The variant as ``MODEL:VARIANT``.
        digest: Of the variant.
        data_digest: SHA-256 of the data.
        method: Of the samples; several are joined with commas.
        target: Where the model ran.
        evaluations: Of all maps, curves and checks.
        output: The drawing, or the requested file.
        maps: The file of maps (.npz).
        maps_digest: SHA-256 of that file.
        sanity: Whether all sanity checks passed; None without one.
        notes: What could not be done.
    """

    model: str
    digest: str
    data: str
    data_digest: str
    method: str
    target: str
    backend: RuntimeVersion
    seed: int
    reference: str
    evaluations: int
    seconds: float
    samples: tuple[SampleExplanation, ...]
    output: str
    maps: str
    maps_digest: str
    sanity: bool | None = None
    notes: tuple[str, ...] = optional(())
