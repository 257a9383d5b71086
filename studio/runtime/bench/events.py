"""The events of the bench: dataclasses here and in the studio, JSON lines in between.

Only the standard library is imported, so that the studio reads them without numpy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, List, Optional, Tuple, Type, Union

from .facts import (
    OMITTED,
    ContextMemory,
    EnergyMeasurement,
    Environment,
    InputFeed,
    InterimChecks,
    Kernel,
    MachineState,
    NoEnergyMeasurement,
    OpenLoop,
    PointMessage,
    TokenFacts,
    TrialMessage,
    WarmUp,
)

PROTOCOL = 1
"""Version of the events and of the configuration."""


@dataclass(frozen=True)
class Started:
    """The begin of a bench."""

    protocol: int = PROTOCOL
    environment: Environment = field(default_factory=Environment)


@dataclass(frozen=True)
class BenchProgress:
    """The part of a phase that is done; 0 of 0 where that is not known."""

    phase: str
    done: float
    total: float
    text: str


@dataclass(frozen=True)
class CandidateState:
    """The state of a candidate, whenever it changes."""

    id: str
    state: str
    reason: str = ""


@dataclass(frozen=True)
class SettingBlock:
    """The samples of a setting in one round.

    Attributes:
        cores: Processors that it kept busy.
        latency_ns: Of single inferences.
    """

    samples: int
    cores: float
    latency_ns: List[int]


@dataclass(frozen=True)
class Round:
    """One block of each candidate, or of each setting (``id|streams|batch``) for throughput.

    Attributes:
        times_ns: Of each inference; for throughput the time of a sample.
        wall_ns, cpu_ns: Sums of the block.
        spoiled: What disturbed it.
        blocks: For throughput alone.
    """

    round: int = 0
    of: int = 0
    order: Tuple[str, ...] = ()
    times_ns: Dict[str, List[float]] = field(default_factory=dict)
    wall_ns: Dict[str, float] = field(default_factory=dict)
    cpu_ns: Dict[str, float] = field(default_factory=dict)
    clock_mhz: Optional[float] = None
    temperature_c: Optional[float] = None
    stolen_ticks: int = 0
    spoiled: Tuple[str, ...] = ()
    blocks: Optional[Dict[str, SettingBlock]] = field(default=None, metadata=OMITTED)


@dataclass(frozen=True)
class InterimCheckMade:
    """A check whether all is decided, which would end the rounds."""

    decided: bool
    rounds: int
    alpha: float


@dataclass(frozen=True)
class OperatorsMeasured:
    """The kernels of a candidate.

    Attributes:
        plain_us, profiled_us: An inference without and with profiling, where measured.
    """

    id: str
    operators: Tuple[Kernel, ...] = ()
    plain_us: Optional[float] = field(default=None, metadata=OMITTED)
    profiled_us: Optional[float] = field(default=None, metadata=OMITTED)


@dataclass(frozen=True)
class SettingState:
    """A number of streams with a batch; ``cell`` is its name in the rounds."""

    id: str
    cell: str
    streams: int
    batch: int
    state: str
    reason: str


@dataclass(frozen=True)
class DeclaredInput:
    """An input as a model declares it; a size is a number, a name or None."""

    name: str
    dtype: str
    shape: List[Union[int, str, None]]


@dataclass(frozen=True)
class RunnerDescription:
    """Settings in force in a candidate's process, by its runner."""

    runtime: Optional[str] = None
    version: Optional[str] = None
    device: Optional[str] = None
    providers: Tuple[str, ...] = ()
    precision: Optional[str] = None
    threads: Optional[int] = None


@dataclass(frozen=True)
class BlockSize:
    """Timed and untimed inferences of one candidate in one round."""

    runs: int
    settle: int


@dataclass
class CandidateFacts:
    """A candidate in the ``result`` event; unknown facts are left out.

    Attributes:
        not_compared: Names of outputs that are no arrays.
        max_error, relative_error: Largest difference from the reference's outputs.
        same_model_error: Relative difference from those of the same model on the first backend.
        operators_reason: Why there are no times of operators.
    """

    inputs: Optional[List[DeclaredInput]] = field(default=None, metadata=OMITTED)
    describe: Optional[RunnerDescription] = field(default=None, metadata=OMITTED)
    import_ms: Optional[float] = field(default=None, metadata=OMITTED)
    load_ms: Optional[float] = field(default=None, metadata=OMITTED)
    memory_base_mb: Optional[float] = field(default=None, metadata=OMITTED)
    first_ms: Optional[float] = field(default=None, metadata=OMITTED)
    not_compared: Optional[List[str]] = field(default=None, metadata=OMITTED)
    max_error: Optional[float] = field(default=None, metadata=OMITTED)
    relative_error: Optional[float] = field(default=None, metadata=OMITTED)
    same_model_error: Optional[float] = field(default=None, metadata=OMITTED)
    warm_up: Optional[WarmUp] = field(default=None, metadata=OMITTED)
    block: Optional[BlockSize] = field(default=None, metadata=OMITTED)
    memory_mb: Optional[float] = field(default=None, metadata=OMITTED)
    operators_reason: Optional[str] = field(default=None, metadata=OMITTED)
    open_loop: Optional[OpenLoop] = field(default=None, metadata=OMITTED)
    tokens: Optional[TokenFacts] = field(default=None, metadata=OMITTED)
    id: str = ""
    state: Optional[str] = field(default=None, metadata=OMITTED)
    reason: Optional[str] = field(default=None, metadata=OMITTED)


@dataclass(frozen=True)
class BenchResult:
    """The end of a bench.

    Attributes:
        twin: Label of the reference's second process.
        spoiled: Count of disturbed rounds by reason.
        looks: None but for latency.
        settings: For throughput alone.
        energy: Where the configuration has a length for its blocks.
        contexts: Memory by context, for tokens alone.
    """

    mode: str = ""
    reference: str = ""
    twin: Optional[str] = None
    feeds: Tuple[InputFeed, ...] = ()
    candidates: Tuple[CandidateFacts, ...] = ()
    environment_end: Optional[MachineState] = None
    rounds: int = 0
    spoiled: Dict[str, int] = field(default_factory=dict)
    looks: Optional[InterimChecks] = None
    settings: Optional[Tuple[SettingState, ...]] = field(default=None, metadata=OMITTED)
    energy: Union[EnergyMeasurement, NoEnergyMeasurement, None] = field(
        default=None, metadata=OMITTED
    )
    contexts: Optional[Tuple[ContextMemory, ...]] = field(default=None, metadata=OMITTED)


@dataclass(frozen=True)
class BenchCancelled:
    """The end of a bench whose standard input was closed."""


@dataclass(frozen=True)
class BenchFailure:
    """The reason why nothing could be measured, in one sentence."""

    text: str


Event = Union[
    Started,
    BenchProgress,
    CandidateState,
    Round,
    InterimCheckMade,
    TrialMessage,
    PointMessage,
    OperatorsMeasured,
    BenchResult,
    BenchCancelled,
    BenchFailure,
]

EVENTS: Dict[str, Type[Event]] = {
    "started": Started,
    "progress": BenchProgress,
    "candidate": CandidateState,
    "round": Round,
    "look": InterimCheckMade,
    "trial": TrialMessage,
    "point": PointMessage,
    "operators": OperatorsMeasured,
    "result": BenchResult,
    "cancelled": BenchCancelled,
    "error": BenchFailure,
}
"""Each event by its name, the value of the key ``event``."""

NAMES = {form: name for name, form in EVENTS.items()}
