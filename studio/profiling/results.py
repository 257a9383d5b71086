"""The result of the profile step, as the window, the command line and pipelines read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import JsonValue, optional
from studio.lazy_dataclass import dataclass
from studio.profiling.language.results import TokenRun
from studio.profiling.operator_times import (
    NodeTime as NodeTime,
)
from studio.profiling.operator_times import (
    OperatorTimes as OperatorTimes,
)
from studio.profiling.operator_times import (
    Placement,
)
from studio.profiling.operator_times import (
    RunPlacement as RunPlacement,
)
from studio.runtime.bench.facts import (
    EnergySensor,
    Environment,
    InferenceEnergy,
    InputFeed,
    InterimChecks,
    MachineState,
    Percentiles,
    SeriesPoint,
    TailPercentiles,
    WarmUp,
)
from studio.runtime.bench.facts import (
    NoEnergySensor as NoEnergySensor,
)
from studio.runtime.bench.facts import (
    OpenLoop as OpenLoop,
)
from studio.runtime.bench.facts import (
    PointMessage as PointMessage,
)
from studio.runtime.bench.facts import (
    Trial as Trial,
)
from studio.runtime.bench.facts import (
    TrialMessage as TrialMessage,
)


@dataclass(frozen=True)
class MeasuredEnvironment(Environment):
    """The machine of a profile, with what was seen during the rounds.

    Attributes:
        runtimes: Version by runtime.
        clock_mhz: Median of the processor's clock.
        temperature_c: Highest temperature.
        end: Its state afterwards; None for a profile that was interrupted.
    """

    runtimes: Mapping[str, str | None] = field(default_factory=dict)
    clock_mhz: float | None = None
    temperature_c: float | None = None
    end: MachineState | None = None


@dataclass(frozen=True, slots=True)
class BestSetting:
    """The setting with the highest throughput, with the interval of its rate."""

    streams: int
    batch: int
    per_second: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ThroughputSetting:
    """Throughput with a number of streams and a batch.

    Attributes:
        per_second: Samples a second; None where nothing was measured.
        low, high: Its confidence interval; None where the rounds are too few for one.
        latency_ms: Latencies of single inferences.
    """

    streams: int
    batch: int
    state: str = "measured"
    reason: str = ""
    per_second: float | None = None
    low: float | None = None
    high: float | None = None
    samples: int = 0
    latency_ms: Percentiles = field(default_factory=Percentiles)
    cores_used: float | None = None
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Throughput:
    """All settings of a candidate, and the best one."""

    settings: tuple[ThroughputSetting, ...] = ()
    best: BestSetting | None = None


@dataclass(frozen=True, slots=True)
class Drift:
    """The median at the end of a sustained load over that at its start.

    Attributes:
        verdict: ``slower``, ``faster``, ``steady`` or ``undecided``.
        margin: Smallest relative difference that counts.
        text: One sentence.
    """

    ratio: float = 1.0
    low: float | None = None
    high: float | None = None
    verdict: str = "undecided"
    margin: float = 0.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Sustained:
    """A sustained load as a time series, and how its end differs from its start.

    Attributes:
        start_ms, end_ms: Medians of the first and of the last tenth; None while it still runs.
        throttled_share: Share of the points at a lowered clock.
        clock_drop: Share that the clock lost; None where the machine does not tell.
    """

    seconds: float = 0.0
    interval_s: float = 0.0
    streams: int = 1
    inferences: int = 0
    per_second: float | None = None
    series: tuple[SeriesPoint, ...] = ()
    start_ms: float | None = None
    end_ms: float | None = None
    drift: Drift = Drift()
    throttled_share: float = 0.0
    clock_drop: float | None = None
    temperature_max_c: float | None = None


@dataclass(frozen=True, slots=True)
class ProfileRun:
    """A variant on a backend; while it is measured, as far as it is known.

    Attributes:
        id: Unique label, which comparisons and charts use.
        variant_id: Number of the variant; None for a model outside the registry.
        runtime: The backend with the options that tell it from others.
        state: ``measured``, or what kept it from that.
        distribution: 0th, 1st ... 100th percentile in milliseconds.
        round_ms: Median of each clean round.
        cpu_ms: CPU time of an inference.
        first_ms: Time of the very first inference.
        memory_base_mb: Peak of the memory before the model was loaded.
        max_error, relative_error: Largest difference from the reference's outputs.
        same_model_error: Relative difference from the same model on the first backend.
        tokens: Of a language model; then the latency and the energy are those of one token.
    """

    id: str
    model: str = ""
    variant: str = ""
    variant_id: int | None = None
    backend: str = ""
    runtime: str = ""
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    version: str | None = None
    device: str | None = None
    providers: tuple[str, ...] = ()
    precision: str = ""
    threads: int | None = None
    state: str = ""
    reason: str = ""
    samples: int = 0
    latency_ms: Percentiles = field(default_factory=Percentiles)
    early_stopping_ms: TailPercentiles = field(default_factory=TailPercentiles)
    missing: Mapping[str, str] = field(default_factory=dict)
    distribution: tuple[float, ...] = ()
    round_ms: tuple[float, ...] = ()
    cpu_ms: float | None = None
    first_ms: float | None = None
    import_ms: float | None = None
    load_ms: float | None = None
    memory_mb: float | None = None
    memory_base_mb: float | None = None
    max_error: float | None = None
    relative_error: float | None = None
    same_model_error: float | None = None
    warm_up: WarmUp | None = None
    throughput: Throughput | None = None
    open_loop: OpenLoop | None = None
    sustained: Sustained | None = None
    energy: InferenceEnergy | None = None
    tokens: TokenRun | None = optional()


_MEASURES = {
    "token": "time of a token",
    "first": "time to the first token",
    "all": "several streams",
}


@dataclass(frozen=True, slots=True)
class CpuRatio:
    """A comparison by CPU time instead of wall time."""

    ratio: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A number of streams with a batch."""

    streams: int
    batch: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate against the reference.

    Attributes:
        a, b: Labels of the reference and of the candidate.
        ratio: Time of b over time of a; below 1, b is the faster one. None without a common round.
        low, high: Its confidence interval; None where the rounds are too few.
        verdict: ``faster``, ``slower``, ``equal`` or ``undecided``.
        margin: Smallest relative difference that counts.
        rounds_needed: Rounds after which it would probably be decided; None where it is, or
            where no number of rounds would do.
        text: One sentence.
        a_setting, b_setting: The settings that were compared, for throughput alone.
        measure: For language models: ``token`` or ``first`` (time of a token, time to the first
            one), or ``all`` (the time that a token of several streams takes).
        streams: Streams that were compared by it.
    """

    a: str
    b: str
    ratio: float | None
    low: float | None
    high: float | None
    verdict: str
    margin: float
    confidence: float | None
    rounds: int
    rounds_needed: int | None = None
    text: str = ""
    cpu: CpuRatio | None = None
    a_setting: Setting | None = optional()
    b_setting: Setting | None = optional()
    measure: str | None = optional()
    streams: int | None = optional()

    @property
    def name(self) -> str:
        """The compared runs and the measure, as a heading."""
        pair = f"{self.b} against {self.a}"
        return f"{pair}, {_MEASURES[self.measure]}" if self.measure in _MEASURES else pair


@dataclass(frozen=True, slots=True)
class TwinControl:
    """The reference against its own second process (an A/A test), which sets the margin."""

    ratio: float
    low: float
    high: float
    confidence: float
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """Labels from fast to slow, at the start and at the end of a sustained load."""

    start: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    changed: bool = False


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """A profile of all modes; while it is measured, as far as it is known.

    Attributes:
        mode: ``latency``, ``throughput``, ``open-loop``, ``sustained`` or ``tokens``.
        reference: Label of the run that the others are compared with.
        rounds, rounds_kept, spoiled: Rounds that were made, that count, and that were disturbed.
        spoiled_kept: Whether the disturbed ones were kept, because nearly all were.
        interruption: Why it ended before its time; empty where it did not.
        looks: Interim checks; None where there was only the last one.
        energy: None unless the option is on.
        ranking: For sustained loads alone.
        run: Its number in the registry, once it is recorded.
    """

    environment: MeasuredEnvironment = field(default_factory=MeasuredEnvironment)
    mode: str = "latency"
    runs: tuple[ProfileRun, ...] = ()
    reference: str = ""
    feeds: tuple[InputFeed, ...] = ()
    rounds: int = 0
    rounds_kept: int = 0
    spoiled: int = 0
    spoiled_reasons: Mapping[str, int] = field(default_factory=dict)
    spoiled_kept: bool = False
    complete: bool = True
    interruption: str = ""
    looks: InterimChecks | None = None
    operators: tuple[OperatorTimes, ...] = ()
    verdicts: tuple[Comparison, ...] = ()
    twin: TwinControl | None = None
    ranking: Ranking | None = optional()
    notes: tuple[str, ...] = ()
    target: str = "local"
    energy: EnergySensor | NoEnergySensor | None = None
    placement: Placement | None = None
    run: int | None = optional()

    @property
    def main_verdicts(self) -> tuple[Comparison, ...]:
        """The verdicts on the main figure: of language models, on the time of a token."""
        return tuple(one for one in self.verdicts if one.measure in (None, "token"))


@dataclass(frozen=True, slots=True)
class RunMessage:
    """News of a run while it is measured (message ``run`` of the job): its state or its median."""

    id: str
    model: str
    variant: str
    backend: str
    runtime: str
    state: str
    reason: str | None = optional()
    latency_ms: Percentiles | None = optional()


@dataclass(frozen=True, slots=True)
class SettingMessage:
    """The throughput of a setting so far (message ``setting``)."""

    id: str
    streams: int
    batch: int
    per_second: float
