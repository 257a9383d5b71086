"""Results of the steps of monitoring, as the window, the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.generation import GenerationState
from studio.monitoring.endpoint.results import (
    ABSENT,
    Agreement,
    BoardReport,
    DriftSignal,
    DriftState,
    FetchedRequests,
    Latency,
    LiveLabels,
    NodePlacement,
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
        value, limit: The measured value, and its limit.
    """

    name: str
    level: str = "warning"
    text: str = ""
    value: float = 0.0
    limit: float = 0.0


@dataclass(frozen=True, slots=True)
class ChannelFault:
    """An alert channel that failed to deliver the last notification."""

    channel: str
    text: str


@dataclass(frozen=True, slots=True)
class ChannelMessage(ChannelFault):
    """A failure of a channel, or its first delivery after a failure."""

    failed: bool


@dataclass(frozen=True, slots=True)
class TargetSample:
    """A sample of a target: its health, metrics and alerts.

    Attributes:
        health: ``healthy``, ``degraded``, ``not ready`` or ``unreachable``.
        state, endpoint, scheme: State of the endpoint from the deployment.
        cpu_percent: Percent of one core, since the last sample.
        taken: Uncertain requests that the step fetched or deleted.
        channels: Failed channels, only in a result.
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
    placement: NodePlacement | None = optional(ABSENT)
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
    language: GenerationState | None = optional()
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
    """A row of the fleet: a sample without histograms.

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
    language: GenerationState | None = optional()


@dataclass(frozen=True, slots=True)
class FleetMessage:
    """Samples of a running watch of the fleet."""

    samples: tuple[FleetSample, ...]


@dataclass(frozen=True, slots=True)
class FleetResult:
    """The last samples of several targets."""

    targets: int
    samples: tuple[TargetSample, ...]
    channels: tuple[ChannelFault, ...] = optional(())


@dataclass(frozen=True, slots=True)
class ChannelTest:
    """A test notification to one channel: whether it was delivered, and the error if not."""

    channel: str
    sent: bool
    text: str


@dataclass(frozen=True, slots=True)
class ChannelTests:
    """Test notifications to the channels of an alert file."""

    channels: tuple[ChannelTest, ...]


@dataclass(frozen=True, slots=True)
class ActiveSilence:
    """An active silence or acknowledgement; fields as in ``Silence``."""

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
    """A metric over time.

    Attributes:
        series: ``[time, value]`` pairs by instance, or by model and version.
    """

    target: str
    metric: str
    series: Mapping[str, list[list[float]]]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PastPoint:
    """A minute that a server recorded before the watch began.

    Attributes:
        at: Seconds since 1970.
        p50, p99: Milliseconds.
        throughput: Requests a second.
        error_share: Share of failed requests, from 0 to 1.
    """

    at: float
    version: str = ""
    p50: float | None = None
    p99: float | None = None
    throughput: float | None = None
    error_share: float | None = None


@dataclass(frozen=True, slots=True)
class PastMessage:
    """The recorded minutes of an endpoint, the oldest first."""

    points: tuple[PastPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class LogMessage:
    """The last lines of a server's log, the oldest first."""

    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetRelease:
    """A release that a target knows.

    Attributes:
        kept: Whether a rollback to it is possible, as its files are still there.
    """

    release: str
    version: int | str | None = None
    state: str = ""
    kept: bool = False


@dataclass(frozen=True, slots=True)
class ReleasesMessage:
    """The releases of a target, the newest first."""

    releases: tuple[TargetRelease, ...] = ()


@dataclass(frozen=True, slots=True)
class CallsMessage:
    """Programs that call an endpoint, by language.

    Attributes:
        endpoint: Scheme, host and port.
        infer: Address for requests with arrays.
    """

    endpoint: str
    model: str
    infer: str
    programs: Mapping[str, str]
