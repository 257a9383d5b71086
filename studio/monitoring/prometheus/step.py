"""The steps for Prometheus: its files, and history from it; and the step of the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.api import Kind, Permission, TargetSpec
from studio.jobs import Effect, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.results import ExportResult, FleetResult, HistoryResult

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of the export.

    Attributes:
        known_endpoints: Address of each target's release, from the registry.
    """

    out: Path = option(kind=Kind.OUTPUT, help="Folder for the files.")
    alerts: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Alert rules",
        help="Alert file (TOML) with [[rules]] and [[channels]].",
    )
    interval: float = option(
        15.0, minimum=0.1, maximum=3600, unit="s", help="Scrape interval of Prometheus."
    )
    alertmanager: str = option("127.0.0.1:9093", help="Address of Alertmanager.")
    endpoints: tuple[str, ...] = option(
        (), help="Endpoints as NAME=HOST:PORT (default: all deployed endpoints)."
    )
    known_endpoints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryOptions:
    """Options of the history."""

    target: TargetSpec = option(
        "local", kind=Kind.TARGET, help="Target name, as in the exported files."
    )
    prometheus: str | None = option(
        None,
        help="Prometheus server, such as http://host:9090 (default: history stored on the target).",
    )
    metric: str = option("latency_ms.p99", help="Metric, as in alert rules.")
    seconds: float = option(3600.0, minimum=1, unit="s", help="Length of the history.")


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """Options of the fleet.

    Attributes:
        specs: The targets, from the registry.
    """

    targets: tuple[str, ...] = option((), help="Target names (default: all with a release).")
    seconds: float = option(
        0, title="Watch for", unit="s", minimum=0, help="Duration; 0 polls once."
    )
    interval: float = option(5.0, title="Every", unit="s", minimum=0.5, maximum=3600)
    alerts: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Alert rules",
        help="Alert file (TOML) with [[rules]] and [[channels]].",
    )
    specs: tuple[TargetSpec, ...] = ()


EXPORT: Step[ExportOptions, ExportResult] = Step(
    name="monitor-export",
    title="Export monitoring",
    summary="Write configuration for Prometheus, Alertmanager and Grafana.",
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
    summary="Read the history of a target from a Prometheus server or from the target.",
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
    summary="Poll all targets continuously.",
    options=FleetOptions,
    result=FleetResult,
    work="studio.monitoring.fleet_work:monitor_fleet",
    texts="studio.monitoring.texts:fleet",
    prepare="studio.monitoring.fleet_work:with_targets",
    needs=_NEEDS,
    effect=Effect.LOOKS,
    in_history=False,
)
