"""The step of monitoring: health and metrics of an endpoint."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission, TargetSpec
from studio.jobs import Effect, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.results import TargetSample


@dataclass(frozen=True, slots=True)
class MonitorOptions:
    """Options of the step."""

    target: TargetSpec = option("local", kind=Kind.TARGET, help="Target name.")
    seconds: float = option(
        0,
        title="Watch for",
        unit="s",
        minimum=0,
        help="Duration in seconds; 0 prints the status once.",
    )
    interval: float = option(
        1.0,
        title="Every",
        unit="s",
        minimum=0.1,
        maximum=3600,
        help="Polling interval.",
        advanced=True,
    )
    alerts: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Alert rules",
        help="TOML with [[rules]] and [[channels]]; see docs/monitoring.md.",
    )
    labels: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Labels by request ID (CSV: id,label) to measure live accuracy.",
        advanced=True,
    )
    samples: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Fetch uncertain requests",
        help="Folder for the uncertain requests that the target keeps (see studio deploy "
        "--keep-samples).",
        advanced=True,
    )
    delete_samples: bool = option(
        False,
        title="Delete them there",
        help="Delete the stored requests on the target, after fetching them with --samples.",
        advanced=True,
    )


MONITOR: Step[MonitorOptions, TargetSample] = Step(
    name="monitor",
    title="Monitor",
    summary="Show health, throughput, latency, errors and drift of an endpoint.",
    options=MonitorOptions,
    result=TargetSample,
    work="studio.monitoring.work:monitor",
    texts="studio.monitoring.texts:target",
    record="studio.monitoring.record:monitored",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    effect=Effect.LOOKS,
    ordered=True,
)
