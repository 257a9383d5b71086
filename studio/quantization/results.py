"""Results of the steps of quantization, as the window, the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.conversion.chips.results import ChipResult
from studio.datasets.results import DataPreview, DataProblem, DrawnInput
from studio.documents.dataclass_json import InvalidDocument, from_json, optional
from studio.evaluation.results import MetricChange, OutputError, RuntimeVersion
from studio.lazy_dataclass import dataclass
from studio.models.results import Answer, ModelFigures
from studio.quantization.chips.results import ChipSearchReport


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Error and time of one layer that alone is quantized.

    Attributes:
        bits: Width of its weights and activations.
        sqnr_db: Signal-to-quantization-noise ratio at the model's outputs, in decibels.
        float_us, int8_us: Median time of the layer alone on this machine, in microseconds.
        gain_us: Time that int8 saves; negative for a layer that becomes slower.
        drop: Decrease of the metric; None where it was not measured.
    """

    name: str
    bits: int
    sqnr_db: float
    float_us: float
    int8_us: float
    gain_us: float
    drop: float | None = None


@dataclass(frozen=True, slots=True)
class FloatMetric:
    """A metric of the float model, against which layers are compared."""

    name: str
    title: str
    before: float
    samples: int


@dataclass(frozen=True, slots=True)
class SensitivityResult:
    """Sensitivity of all layers that a quantization may choose from, largest error first.

    Attributes:
        preset: The preset in its JSON form.
        signature: Digest of all that the costs depend on; a search finds them by it.
    """

    model: str
    layers: tuple[LayerCost, ...]
    metric: FloatMetric | None
    signature: str | None
    backend: RuntimeVersion
    seconds: float
    preset: Mapping[str, object] = field(default_factory=dict)

    @property
    def slower(self) -> int:
        """The number of layers that are no faster in int8 on this machine."""
        return sum(layer.gain_us <= 0 for layer in self.layers)


@dataclass(frozen=True, slots=True)
class SearchCandidate:
    """A variant that was tried.

    Attributes:
        kept: Layers that stay in float.
        drop: Loss of the metric on the samples of the search.
        latency_ratio: To the float model, roughly.
        score: The metric itself.
        lost, gained: Number of samples that are read worse, or better, than by the float model.
        samples: Number that it was scored on: fewer where these showed that it loses too much.
    """

    kept: tuple[str, ...]
    drop: float
    latency_ratio: float
    bytes: int
    score: float = 0.0
    lost: int = 0
    gained: int = 0
    samples: int = 0

    def beaten_by(self, other: SearchCandidate) -> bool:
        """Return whether another is no worse in anything and better in something."""
        mine = (self.drop, self.latency_ratio, self.bytes)
        theirs = (other.drop, other.latency_ratio, other.bytes)
        return theirs != mine and all(b <= a for a, b in zip(mine, theirs, strict=True))


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """The limits that a search was given.

    Attributes:
        max_drop: Largest loss of the metric.
        max_latency_ratio: Largest time over that of the float model.
    """

    max_drop: float | None = None
    max_latency_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class LayerTiming:
    """Error and time of one layer alone, as a search for layers reads them."""

    sqnr_db: float
    float_us: float
    int8_us: float
    gain_us: float = 0.0


@dataclass(frozen=True, slots=True)
class SearchReport:
    """A search for the layers that stay in float.

    Attributes:
        before: The metric of the float model on the samples of the search.
        stored_sensitivity: Whether the costs of the layers were measured before.
        chosen: Layers that stay in float.
        front: Trials that no other beats in loss, time and size at once.
    """

    before: float = 0.0
    stored_sensitivity: bool = False
    goal: SearchLimits = SearchLimits()
    chosen: tuple[str, ...] = ()
    trials: tuple[SearchCandidate, ...] = ()
    front: tuple[SearchCandidate, ...] = ()
    layers: Mapping[str, LayerTiming] = field(default_factory=dict)
    samples: int = 0


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A point of quality, time and size.

    Attributes:
        variant: Its number; None for a trial that was not kept.
        float_layers: Number of layers that stay in float.
        judged_on: ``heldout`` samples, or those of the ``search``.
    """

    variant: int | None
    name: str
    precision: str
    bytes: int
    metric: float | None
    latency_ratio: float | None
    sqnr_db: float | None = None
    float_layers: int | None = None
    judged_on: str = "heldout"


@dataclass(frozen=True, slots=True)
class SizeChange:
    """Bytes of the float model and of the variant."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """Facts about layers that most transforms report.

    Attributes:
        kept: Layers that stay in float, most often each with the reason.
        operators: Those that were to be quantized.
        quantized, converted: Number of nodes.
    """

    kept: Mapping[str, str] | tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    quantized: int | None = None
    converted: int | None = None

    @property
    def reasons(self) -> Mapping[str, str]:
        """Why layers stay in float, where it is known."""
        return self.kept if isinstance(self.kept, Mapping) else {}


@dataclass(frozen=True, slots=True)
class VariantFiles:
    """Files of a new variant, by name, and its figures; from the work to its record.

    Attributes:
        details: Layers and samples (``VariantDetails``).
    """

    file: str
    graph: str
    details: str
    summary: ModelFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeResult:
    """New variant with its metric drop and its savings.

    The summary of the variant has the same without what the record adds.

    Attributes:
        output: The file; added by the record, like the model, the number, the name and ``front``.
        facts: Figures of the transform.
        latency_ratio: Time over that of the float model, with its interval.
        advice: What speaks against the variant.
        search: The choice of layers; None without a search.
        chip: Verdict of the chip that it is for, next to the float model; None without one.
        chip_search: The choice of layers by that verdict.
        files: Between the work and its record only.
        latency_confidence, latency_verdict: Of a newer profile.
    """

    output: str = optional("")
    model: str = optional("")
    variant: int = optional(0)
    name: str = optional("")
    precision: str = ""
    preset: Mapping[str, object] = field(default_factory=dict)
    preset_text: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    bytes: SizeChange = SizeChange(0, 0)
    size_ratio: float | None = None
    metric: MetricChange | None = None
    outputs: tuple[OutputError, ...] = ()
    sqnr_db: float | None = None
    latency_ratio: float | None = None
    latency_interval: tuple[float, float] | None = None
    latency_confidence: float = optional(0.95)
    latency_verdict: str = optional("")
    threads: int | None = None
    advice: str | None = None
    notes: tuple[str, ...] = ()
    search: SearchReport | None = None
    chip: ChipResult | None = optional()
    chip_search: ChipSearchReport | None = optional()
    peak_memory_mb: float | None = None
    seconds: float | None = None
    cpu_seconds: float | None = None
    front: tuple[FrontPoint, ...] = optional(())
    files: VariantFiles | None = optional()

    @property
    def layers(self) -> LayerFacts:
        """The facts about layers; none where the transform reports others."""
        try:
            return from_json(LayerFacts, self.facts)
        except InvalidDocument:
            return LayerFacts()


@dataclass(frozen=True, slots=True)
class _VariantSummary:
    """The part of a variant's summary that a quantization has written."""

    quantize: QuantizeResult = QuantizeResult()


def figures_of(summary: Mapping[str, object]) -> QuantizeResult:
    """Return what a quantization found of the variant that it made; without one, defaults.

    Args:
        summary: Of the variant.
    """
    try:
        return from_json(_VariantSummary, summary).quantize
    except InvalidDocument:
        return QuantizeResult()


@dataclass(frozen=True, slots=True)
class ValueHistogram:
    """Values of a tensor in equal bins.

    Attributes:
        range: The ends that the levels span; None for a tensor in float.
    """

    low: float
    high: float
    counts: tuple[int, ...]
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class LayerDetail:
    """One layer of a new variant.

    Attributes:
        precision: ``float``, ``int8``, ...
        why: Why it stays in float.
    """

    name: str
    operator: str = ""
    precision: str = ""
    why: str = ""
    weights: ValueHistogram | None = None
    activations: ValueHistogram | None = None


@dataclass(frozen=True, slots=True)
class ComparedSample:
    """A sample with the answers of the float model and of the variant.

    Attributes:
        state: ``lost``, ``gained``, ``differs`` or ``agrees``.
    """

    name: str
    state: str
    label: str | None
    sqnr_db: float
    input: DrawnInput
    before: Answer
    after: Answer


@dataclass(frozen=True, slots=True)
class VariantDetails:
    """The layers of a variant, and samples that it reads otherwise than the float model."""

    layers: tuple[LayerDetail, ...] = ()
    samples: tuple[ComparedSample, ...] = ()


@dataclass(frozen=True, slots=True)
class SpeedupOutlook:
    """The speed-up that int8 can bring.

    Attributes:
        kernels: What the processor has for arithmetic on bytes.
        share: Of the multiplications that can run in int8; None where shapes are not known.
        low, high: Between these the time over that of the float model is expected.
        tried: Whether they come from a trial of the model instead of single layers.
        ratio: The ratio that the trial measured.
    """

    kernels: tuple[str, ...]
    share: float | None
    low: float
    high: float
    tried: bool
    sentence: str
    ratio: float | None = optional()


@dataclass(frozen=True, slots=True)
class MachineTimings:
    """Times on one machine from which a speed-up is predicted, all in microseconds.

    Attributes:
        layers: In float and in int8, by key of the layer's shape.
        run_us: Of a run that does next to nothing.
        quantize, dequantize, cheap, middle, slow: Of a node, and of each number in it.
    """

    kernels: tuple[str, ...]
    layers: Mapping[str, tuple[float, float]]
    run_us: float
    cheap: tuple[float, float]
    middle: tuple[float, float]
    slow: tuple[float, float]
    quantize: tuple[float, float]
    dequantize: tuple[float, float]


@dataclass(frozen=True, slots=True)
class PreflightResult:
    """The findings of the check before a quantization.

    Attributes:
        outlook: None where none was wanted, or the method has none.
        timings: What is kept for the next time; between the work and its record only.
    """

    data: DataPreview | DataProblem | None = None
    eval_data: DataPreview | DataProblem | None = None
    outlook: SpeedupOutlook | None = None
    timings: Mapping[str, MachineTimings] | None = optional()
