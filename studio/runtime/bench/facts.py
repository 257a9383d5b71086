"""The measurements of the bench and the facts of a machine, as dataclasses.

They are parts of the bench's events, and of the result that the studio makes of these. Only the
standard library is imported, so that results are read without numpy and without a runtime.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Callable, Dict, Literal, Mapping, Optional, Tuple, TypeVar

T = TypeVar("T")

# Typing's own names: the studio evaluates these annotations.


OMITTED = {"omitted": True}
"""Metadata of a field without a value, which an event leaves out.

They are those of the studio's ``documents.dataclass_json``, which reads the events.
"""


def known(form: Callable[..., T], values: Mapping[str, Any]) -> T:
    """Return a dataclass made of a runner's values; further keys are passed over."""
    names = [each.name for each in fields(form)]  # type: ignore[arg-type]
    return form(**{name: values[name] for name in names if values.get(name) is not None})


@dataclass(frozen=True)
class PowerMode:
    """The power mode of a Jetson."""

    id: int
    name: Optional[str] = None


@dataclass(frozen=True)
class Throttle:
    """Throttling now and since the start.

    Attributes:
        raw: The flags of a Raspberry Pi; None where the kernel counts events.
    """

    raw: Optional[str] = None
    now: Tuple[str, ...] = ()
    since_start: Tuple[str, ...] = ()


@dataclass(frozen=True)
class ThermalZone:
    """A thermal zone with its temperature."""

    zone: str
    celsius: float


@dataclass(frozen=True)
class Accelerator:
    """A Coral Edge TPU; on USB without a temperature."""

    name: str
    celsius: Optional[float] = None
    status: Optional[str] = None


@dataclass(frozen=True)
class MachineState:
    """The state of a machine after a bench."""

    throttle: Optional[Throttle] = None
    zones: Tuple[ThermalZone, ...] = ()
    accelerators: Tuple[Accelerator, ...] = ()
    supply: Optional[str] = None
    power_mode: Optional[PowerMode] = None
    governors: Tuple[str, ...] = ()
    load: Optional[float] = None


@dataclass(frozen=True)
class Environment:
    """A machine as it was before a bench; None where it is not known.

    Attributes:
        cores, usable_cores: Processors, and those that this process may use.
        load: Runnable processes, averaged over a minute.
        supply: ``battery`` or ``mains``.
        virtual: The hypervisor or container around it.
        cpu_quota: Processors that a control group allows.
    """

    cpu: str = ""
    arch: str = ""
    board: Optional[str] = None
    cores: Optional[int] = None
    usable_cores: Optional[int] = None
    governor: Optional[str] = None
    kernel: str = ""
    os: str = ""
    python: str = ""
    numpy: str = ""
    memory_mb: Optional[int] = None
    load: Optional[float] = None
    platform: str = ""
    energy_sensors: Tuple[str, ...] = ()
    jetson: Optional[str] = None
    power_mode: Optional[PowerMode] = None
    throttle: Optional[Throttle] = None
    zones: Tuple[ThermalZone, ...] = ()
    accelerators: Tuple[Accelerator, ...] = ()
    supply: Optional[str] = None
    governors: Tuple[str, ...] = ()
    turbo: Optional[bool] = None
    virtual: Optional[str] = None
    cpu_quota: Optional[float] = None


@dataclass(frozen=True)
class InputFeed:
    """An input as it is fed.

    Attributes:
        assumed: Axes whose size neither the model nor the user gave.
    """

    name: str
    dtype: str
    shape: Tuple[int, ...]
    assumed: Tuple[int, ...] = ()


@dataclass(frozen=True)
class Percentiles:
    """Latencies in milliseconds; None where the samples are too few."""

    p50: Optional[float] = None
    p90: Optional[float] = None
    p99: Optional[float] = None


@dataclass(frozen=True)
class TailPercentiles:
    """MLPerf's early-stopping estimates in milliseconds."""

    p90: Optional[float] = None
    p99: Optional[float] = None


@dataclass(frozen=True)
class StartDelay:
    """Microseconds by which the bench itself starts requests late."""

    p50: Optional[float] = None
    p99: Optional[float] = None


@dataclass(frozen=True)
class WarmUp:
    """The course of a warm-up.

    Attributes:
        stable: Whether the times settled before the time was up.
        median_ns: Median of its last batch.
    """

    runs: int
    stable: bool
    median_ns: int


@dataclass(frozen=True)
class InterimChecks:
    """The points at which a bench may end early.

    Attributes:
        planned: Rounds after which it is checked.
        used: Checks that were made.
        alpha: Risk of each check.
    """

    planned: Tuple[int, ...] = ()
    used: int = 0
    stopped: bool = False
    alpha: Tuple[float, ...] = ()


@dataclass(frozen=True)
class Trial:
    """A stretch of requests at one rate.

    Attributes:
        phase: ``search`` or ``confirm``.
        over: Requests that took longer than the limit.
        kept: Whether p99 kept the limit.
        waiting_most: Most requests that waited at once.
    """

    phase: str = ""
    rate: float = 0.0
    seconds: float = 0.0
    arrivals: int = 0
    over: int = 0
    kept: bool = False
    aborted: bool = False
    waiting_most: int = 0
    latency_ms: Percentiles = Percentiles()


@dataclass(frozen=True)
class OpenLoop:
    """The highest rate of requests at which p99 keeps a limit.

    Attributes:
        capacity_per_second: Inferences a second when the next one starts at once.
        fails_at: Lowest higher rate that missed the limit.
        kept: Whether the rate is shown to keep the limit; None where that is undecided.
        over_share, over_low, over_high: Share of late requests with its confidence limits.
        rate_per_second: The rate; None where none was confirmed.
    """

    limit_ms: Optional[float] = None
    percentile: int = 99
    streams: int = 1
    capacity_per_second: Optional[float] = None
    confidence: Optional[float] = None
    fails_at: Optional[float] = None
    start_delay_us: StartDelay = StartDelay()
    trials: Tuple[Trial, ...] = ()
    kept: Optional[bool] = None
    over_share: float = 0.0
    over_low: Optional[float] = None
    over_high: Optional[float] = None
    arrivals: int = 0
    reason: str = ""
    rate_per_second: Optional[float] = None


@dataclass(frozen=True)
class SeriesPoint:
    """An interval of a sustained load.

    Attributes:
        t_s: Seconds since its start.
        stolen: Share of processor time that a hypervisor took.
        spoiled: What disturbed it.
    """

    t_s: float = 0.0
    inferences: int = 0
    per_second: float = 0.0
    p50_ms: float = 0.0
    p90_ms: float = 0.0
    max_ms: float = 0.0
    cpu_ms: float = 0.0
    clock_mhz: Optional[float] = None
    temperature_c: Optional[float] = None
    stolen: float = 0.0
    spoiled: Tuple[str, ...] = ()


@dataclass(frozen=True)
class InferenceEnergy:
    """Energy of one inference of a candidate.

    Attributes:
        mj, low, high: Millijoules net of rest, with the confidence interval.
        gross_mj: Millijoules with those of rest.
        watts: Power under load.
        reason: Why the figure may be wrong; empty where nothing speaks against it.
    """

    mj: float
    low: float
    high: float
    gross_mj: float
    watts: float
    inferences: int
    blocks: int
    reason: str = ""


@dataclass(frozen=True)
class EnergySensor:
    """The sensor by which energy was measured.

    Attributes:
        rails: All that could be read.
        asked_hz, updates_hz: Readings a second, and new values among them under load.
        sensor_update_s: Interval of its own measurements, where it is known.
        block_s: Length of a block of work or rest.
        idle_w: Power at rest.
    """

    state: Literal["measured"]
    reason: str
    rail: str
    source: str
    rails: Tuple[str, ...]
    asked_hz: float
    updates_hz: float
    sensor_update_s: Optional[float]
    block_s: float
    idle_w: float


@dataclass(frozen=True)
class EnergyMeasurement(EnergySensor):
    """The sensor, and the energy of each candidate."""

    runs: Dict[str, InferenceEnergy]


@dataclass(frozen=True)
class NoEnergySensor:
    """The reason why no energy was measured."""

    state: Literal["no sensor"]
    reason: str


@dataclass(frozen=True)
class NoEnergyMeasurement(NoEnergySensor):
    """The reason, and no energy of any candidate."""

    runs: Dict[str, InferenceEnergy] = field(default_factory=dict)


@dataclass(frozen=True)
class Kernel:
    """Time of a runtime's kernel per inference.

    Attributes:
        provider: Execution provider that ran it.
        type: Type that it computed in.
        inputs, outputs: Names of its values, where the runtime has them.
        start_us: When it starts within an inference; None where the runtime has no such time.
    """

    name: str = ""
    operator: str = ""
    provider: str = ""
    type: str = ""
    us: float = 0.0
    calls: float = 0
    inputs: Tuple[str, ...] = ()
    outputs: Tuple[str, ...] = ()
    start_us: Optional[float] = field(default=None, metadata=OMITTED)


@dataclass(frozen=True)
class TrialMessage(Trial):
    """A trial that has ended (message ``trial``)."""

    id: str = ""


@dataclass(frozen=True)
class PointMessage(SeriesPoint):
    """A new point of a series (message ``point``)."""

    id: str = ""


@dataclass(frozen=True)
class TokenFacts:
    """A language model in its process: tokens of a slot, and of each prompt."""

    context: int = 0
    vocabulary: int = 0
    prompts: Tuple[int, ...] = ()


@dataclass(frozen=True)
class ContextMemory:
    """Memory of a candidate whose cache holds a number of tokens.

    Attributes:
        peak_mb: Most resident memory of its process, in MiB; None where it failed.
        shared_mb: Its proportional share in the end, where the system counts it.
        reason: Why it was not measured.
    """

    id: str
    context: int
    peak_mb: Optional[float] = None
    shared_mb: Optional[float] = None
    reason: str = ""
