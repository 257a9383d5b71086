"""The report and the status of a server, parsed."""

from __future__ import annotations

from dataclasses import field

from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.generation import GenerationState
from studio.monitoring.endpoint.results import (
    Agreement,
    BoardReport,
    DriftSignal,
    DriftState,
    Latency,
    LiveLabels,
    NodePlacement,
    SpeedReport,
    StoredRequests,
    Upkeep,
)


@dataclass(frozen=True, slots=True)
class ServerReport:
    """The report that a server writes at each start and reload (``server.json``).

    Attributes:
        running: Whether its process is alive.
        error: Reason why the last release could not be loaded.
        manager: Service manager that restarts the server after a crash.
    """

    state: str = ""
    running: bool = True
    host: str = ""
    port: int = 0
    scheme: str = ""
    fingerprint: str = ""
    token_required: bool = False
    name: str = ""
    version: int | str | None = None
    digest: str = ""
    manager: str = ""
    error: str = ""

    @property
    def address(self) -> tuple[int, str, str, bool]:
        """The fields on which a connection depends."""
        return self.port, self.scheme, self.fingerprint, self.token_required


@dataclass(frozen=True, slots=True)
class SpeedLimit:
    """Latency of the model in its validation."""

    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class DriftReport(DriftState):
    """The drift watch of a server."""

    signals: tuple[DriftSignal, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The document of ``/edgewright/status``; metrics of a platform are converted to it."""

    ready: bool = True
    uptime_s: float | None = None
    generation: int | None = None
    memory_mb: float | None = None
    pid: int | None = None
    board: BoardReport | None = None
    upkeep: Upkeep | None = None
    digest: str = ""
    version: int | str | None = None
    name: str = ""
    precision: str = ""
    requests: int = 0
    errors: int = 0
    in_flight: int = 0
    throughput_rps: float = 0.0
    latency_ms: Latency = field(default_factory=Latency)
    pace: SpeedReport | None = None
    baseline: SpeedLimit = SpeedLimit()
    drift: DriftReport | None = None
    labels: LiveLabels | None = None
    mirror: Agreement | None = None
    samples: StoredRequests | None = None
    threads: int | None = None
    placement: NodePlacement | None = None
    language: GenerationState | None = None
