"""The steps for Prometheus: its files, and history from it; and the step of the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studio.api import Kind, Permission, TargetSpec
from studio.jobs import Effect, Step
from studio.jobs.options_form import option
from studio.monitoring.results import ExportResult, FleetResult, HistoryResult

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of the export.

    Attributes:
        known_endpoints: Address of each target's release, from the registry.
    """

    out: Path = option(kind=Kind.OUTPUT, help="The folder that they are written to.")
    alerts: Path | None = option(None, kind=Kind.FILE, title="Alert rules", help="As in monitor.")
    interval: float = option(
        15.0, minimum=0.1, maximum=3600, unit="s", help="Between two looks of Prometheus."
    )
    alertmanager: str = option("127.0.0.1:9093", help="Where it sends its alerts.")
    endpoints: tuple[str, ...] = option((), help="NAME=HOST:PORT, instead of what was deployed.")
    known_endpoints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryOptions:
    """Options of the history."""

    target: TargetSpec = option("local", kind=Kind.TARGET, help="As the exported files name it.")
    prometheus: str | None = option(
        None, help="http://host:9090; without it, what the target kept itself."
    )
    metric: str = option("latency_ms.p99", help="A figure, as alert rules name it.")
    seconds: float = option(3600.0, minimum=1, unit="s", help="So far back.")


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """Options of the fleet.

    Attributes:
        specs: The targets, from the registry.
    """

    targets: tuple[str, ...] = option((), help="Names; by default all that something runs on.")
    seconds: float = option(0, title="Watch for", unit="s", minimum=0, help="0: once.")
    interval: float = option(5.0, title="Every", unit="s", minimum=0.5, maximum=3600)
    alerts: Path | None = option(None, kind=Kind.FILE, title="Alert rules", help="As in monitor.")
    specs: tuple[TargetSpec, ...] = ()


EXPORT: Step[ExportOptions, ExportResult] = Step(
    name="monitor-export",
    title="Export monitoring",
    summary="Write the files of Prometheus, Alertmanager and Grafana for all targets.",
    options=ExportOptions,
    result=ExportResult,
    work="studio.monitoring.prometheus.work:export",
    texts="studio.monitoring.texts:exported",
    prepare="studio.monitoring.prometheus.work:with_endpoints",
    needs=_NEEDS,
    effect=Effect.LOOKS,
    in_history=False,
)

HISTORY: Step[HistoryOptions, HistoryResult] = Step(
    name="monitor-history",
    title="History",
    summary="Read the history of a target from a Prometheus server, or from itself.",
    options=HistoryOptions,
    result=HistoryResult,
    work="studio.monitoring.prometheus.work:read_history",
    texts="studio.monitoring.texts:history",
    needs=_NEEDS,
    effect=Effect.LOOKS,
    in_history=False,
)

FLEET: Step[FleetOptions, FleetResult] = Step(
    name="monitor-fleet",
    title="Watch the fleet",
    summary="Look at all targets again and again, each on a connection of its own.",
    options=FleetOptions,
    result=FleetResult,
    work="studio.monitoring.fleet_work:monitor_fleet",
    texts="studio.monitoring.texts:fleet",
    prepare="studio.monitoring.fleet_work:with_targets",
    needs=_NEEDS,
    effect=Effect.LOOKS,
    in_history=False,
)
