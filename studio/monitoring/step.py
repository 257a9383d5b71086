"""The step of monitoring: how what a target serves is doing."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.jobs import Step

MONITOR = Step(
    name="monitor",
    title="Monitor",
    summary="See how what a target serves is doing: health, throughput, latency, errors.",
    options=(
        Option("target", Kind.TARGET, "local", help="Where; by default this computer."),
        Option(
            "seconds",
            Kind.NUMBER,
            0,
            title="Watch for",
            unit="s",
            minimum=0,
            help="How long to watch; 0 looks once.",
        ),
        Option(
            "interval",
            Kind.NUMBER,
            1.0,
            title="Every",
            unit="s",
            minimum=0.1,
            maximum=3600,
            help="Time between two looks.",
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
            help="True answers by request id (CSV: id,label), held against what was answered.",
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
            help="Delete the requests that the target keeps, after fetching where both are asked.",
            advanced=True,
            spelling="delete_samples",
        ),
    ),
    work="studio.monitoring.work:monitor",
    record="studio.monitoring.record:monitored",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
)
