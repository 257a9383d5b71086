"""The steps that speak with Prometheus: files for it, and history from it; and the fleet's."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.jobs import Arguments, Effect, Result, Step

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})

EXPORT: Step[Arguments, Result] = Step(
    name="monitor-export",
    title="Export monitoring",
    summary="Write the files of Prometheus, Alertmanager and Grafana for all targets.",
    options=(
        Option("out", Kind.OUTPUT, required=True, help="The folder that they are written to."),
        Option("alerts", Kind.FILE, title="Alert rules", help="As in monitor."),
        Option(
            "interval",
            Kind.NUMBER,
            15.0,
            minimum=0.1,
            maximum=3600,
            unit="s",
            help="Between two looks of Prometheus.",
        ),
        Option("alertmanager", default="127.0.0.1:9093", help="Where it sends its alerts."),
        Option("endpoints", many=True, help="NAME=HOST:PORT, instead of what was deployed."),
    ),
    work="studio.monitoring.prometheus.work:export",
    prepare="studio.monitoring.prometheus.work:with_endpoints",
    needs=_NEEDS,
    effect=Effect.LOOKS,
    in_history=False,
)

HISTORY: Step[Arguments, Result] = Step(
    name="monitor-history",
    title="History",
    summary="Read the history of a target from a Prometheus server, or from itself.",
    options=(
        Option("target", Kind.TARGET, default="local", help="As the exported files name it."),
        Option("prometheus", help="http://host:9090; without it, what the target kept itself."),
        Option("metric", default="latency_ms.p99", help="A figure, as alert rules name it."),
        Option("seconds", Kind.NUMBER, 3600.0, minimum=1, unit="s", help="So far back."),
    ),
    work="studio.monitoring.prometheus.work:read_history",
    needs=_NEEDS,
    effect=Effect.LOOKS,
    in_history=False,
)

FLEET: Step[Arguments, Result] = Step(
    name="monitor-fleet",
    title="Watch the fleet",
    summary="Look at all targets again and again, each on a connection of its own.",
    options=(
        Option("targets", many=True, help="Names; by default all that something runs on."),
        Option("seconds", Kind.NUMBER, 0, title="Watch for", unit="s", minimum=0, help="0: once."),
        Option("interval", Kind.NUMBER, 5.0, title="Every", unit="s", minimum=0.5, maximum=3600),
        Option("alerts", Kind.FILE, title="Alert rules", help="As in monitor."),
    ),
    work="studio.monitoring.fleet_work:monitor_fleet",
    prepare="studio.monitoring.fleet_work:with_targets",
    needs=_NEEDS,
    effect=Effect.LOOKS,
    in_history=False,
)
