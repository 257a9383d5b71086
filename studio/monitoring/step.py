"""The step of monitoring: how what a target serves is doing."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.jobs import Arguments, Effect, Result, Step

MONITOR: Step[Arguments, Result] = Step(
    name="monitor",
    title="Monitor",
    summary="See how what a target serves is doing: health, throughput, latency, errors.",
    options=(
        Option("target", Kind.TARGET, "local", help="Target name."),
        Option(
            "seconds",
            Kind.NUMBER,
            0,
            title="Watch for",
            unit="s",
            minimum=0,
            help="Duration in seconds; 0 prints the status once.",
        ),
        Option(
            "interval",
            Kind.NUMBER,
            1.0,
            title="Every",
            unit="s",
            minimum=0.1,
            maximum=3600,
            help="Polling interval.",
            advanced=True,
        ),
        Option(
            "alerts",
            Kind.FILE,
            title="Alert rules",
            help="TOML with [[rules]] and [[channels]]; see docs/monitoring.md.",
        ),
        Option(
            "labels",
            Kind.FILE,
            help="Labels by request ID (CSV: id,label) to measure live accuracy.",
            advanced=True,
        ),
        Option(
            "samples",
            Kind.OUTPUT,
            title="Fetch uncertain requests",
            help="A folder for what a deploy with --keep-samples lets the target keep: data for "
            "labelling, by request id.",
            advanced=True,
        ),
        Option(
            "forget_samples",
            Kind.FLAG,
            default=False,
            title="Delete them there",
            help="Delete the stored requests on the target, after fetching them with --samples.",
            advanced=True,
            spelling="delete_samples",
        ),
    ),
    work="studio.monitoring.work:monitor",
    record="studio.monitoring.record:monitored",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
    effect=Effect.LOOKS,
    ordered=True,
)
