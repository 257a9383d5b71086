"""Results of the steps of monitoring, as the window, the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.documents.dataclass_json import optional
from studio.monitoring.endpoint.results import (
    ABSENT,
    Agreement,
    BoardReport,
    DriftSignal,
    DriftState,
    FetchedRequests,
    Latency,
    LiveLabels,
    SpeedReport,
    StoredRequests,
    Upkeep,
)

UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Alert:
    """A condition that needs attention.

    Attributes:
        level: ``warning`` or ``critical``.
        value, limit: What was measured, and what was allowed.
    """

    name: str
    level: str = "warning"
    text: str = ""
    value: float = 0.0
    limit: float = 0.0


@dataclass(frozen=True, slots=True)
class ChannelFault:
    """An alert channel that did not take the last notice."""

    channel: str
    text: str


@dataclass(frozen=True, slots=True)
class ChannelMessage(ChannelFault):
    """A notice that a channel did not take, or the first that it takes again."""

    failed: bool


@dataclass(frozen=True, slots=True)
class TargetSample:
    """One look at a target.

    Attributes:
        health: ``healthy``, ``degraded``, ``not ready`` or ``unreachable``.
        state, endpoint, scheme: The endpoint as the deployment knows it.
        cpu_percent: Of one core, since the last look.
        taken: What was fetched or deleted by the step.
        channels: Only in a result.
    """

    target: str
    at: str = optional("")
    health: str = "unknown"
    state: str | None = optional(ABSENT)
    endpoint: str | None = optional(ABSENT)
    scheme: str | None = optional(ABSENT)
    throughput: float | None = optional(ABSENT)
    latency_ms: Latency | None = optional(ABSENT)
    threads: int | None = optional(ABSENT)
    errors: int | None = optional(ABSENT)
    requests: int | None = optional(ABSENT)
    in_flight: int | None = optional(ABSENT)
    accuracy: float | None = optional(ABSENT)
    drift: tuple[DriftSignal, ...] = ()
    drift_state: DriftState | None = optional(ABSENT)
    labels: LiveLabels | None = optional(ABSENT)
    pace: SpeedReport | None = optional(ABSENT)
    board: BoardReport | None = optional(ABSENT)
    upkeep: Upkeep | None = optional(ABSENT)
    samples: StoredRequests | None = optional(ABSENT)
    mirror: Agreement | None = optional(ABSENT)
    alerts: tuple[Alert, ...] = ()
    model: str | None = optional(ABSENT)
    version: int | str | None = optional(ABSENT)
    digest: str | None = optional(ABSENT)
    precision: str | None = optional(ABSENT)
    generation: int | None = optional(ABSENT)
    kept_by: str | None = optional(ABSENT)
    uptime_s: float | None = optional(ABSENT)
    memory_mb: float | None = optional(ABSENT)
    cpu_percent: float | None = optional(ABSENT)
    taken: FetchedRequests | None = optional()
    channels: tuple[ChannelFault, ...] = optional(())


@dataclass(frozen=True, slots=True)
class FleetSample:
    """What a row of the fleet shows of a sample, without histograms.

    Attributes:
        drifting: Names of the signals that drift.
    """

    target: str
    at: str = ""
    health: str = "unknown"
    throughput: float | None = None
    latency_ms: Latency | None = None
    errors: int | None = None
    requests: int | None = None
    alerts: tuple[Alert, ...] = ()
    model: str | None = None
    version: int | str | None = None
    memory_mb: float | None = None
    drift_state: DriftState | None = None
    accuracy: float | None = None
    drifting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetMessage:
    """Samples of a running watch of the fleet."""

    samples: tuple[FleetSample, ...]


@dataclass(frozen=True, slots=True)
class FleetResult:
    """The last look at each of several targets."""

    targets: int
    samples: tuple[TargetSample, ...]
    channels: tuple[ChannelFault, ...] = optional(())


@dataclass(frozen=True, slots=True)
class ChannelTest:
    """A test notice to one channel: whether it was taken, and the reason if not."""

    channel: str
    sent: bool
    text: str


@dataclass(frozen=True, slots=True)
class ChannelTests:
    """Test notices to the channels of an alert file."""

    channels: tuple[ChannelTest, ...]


@dataclass(frozen=True, slots=True)
class ActiveSilence:
    """A silence or acknowledgement that holds alerts back now; fields as in ``Silence``."""

    target: str
    alert: str
    kind: str
    at: float
    until: float
    note: str
    by: str
    text: str


@dataclass(frozen=True, slots=True)
class SilenceResult:
    """All active silences, and the time at which they were read."""

    holds: tuple[ActiveSilence, ...]
    at: float


@dataclass(frozen=True, slots=True)
class ExportResult:
    """Files for Prometheus, and the endpoints that they name."""

    files: tuple[str, ...]
    endpoints: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """A figure over time.

    Attributes:
        series: ``[time, value]`` pairs by instance, or by model and version.
    """

    target: str
    metric: str
    series: Mapping[str, list[list[float]]]
    notes: tuple[str, ...]
