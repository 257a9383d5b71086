"""The steps about alerts: a test notice to channels, and what shall be silent for a while."""

from __future__ import annotations

from studio.api import Kind, Option, Permission
from studio.jobs import Arguments, Result, Step

TEST: Step[Arguments, Result] = Step(
    name="monitor-test",
    title="Send a test",
    summary="Send a test notice to the channels of an alert file, each once, and say how it went.",
    options=(
        Option(
            "alerts",
            Kind.FILE,
            required=True,
            title="Alert rules",
            help="TOML with [[channels]]; see docs/monitoring.md.",
        ),
        Option("channel", help="The name of one channel; all of the file without it."),
    ),
    work="studio.monitoring.alerts.work:send_test",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
)

SILENCE: Step[Arguments, Result] = Step(
    name="monitor-silence",
    title="Silence alerts",
    summary="Silence alerts for a period, or list the silences.",
    options=(
        Option("target", help="Target name, or * for all. Without it, the silences are listed."),
        Option("alert", default="*", help="The alert's name (drift, latency ...); * for all."),
        Option(
            "minutes",
            Kind.NUMBER,
            60,
            title="For",
            unit="min",
            minimum=0,
            maximum=10080,
            help="Duration of the silence; 0 ends it.",
        ),
        Option(
            "seen",
            Kind.FLAG,
            False,
            help="Acknowledge the alert until it resolves, for up to one day.",
            spelling="ack",
        ),
        Option("note", help="Why, for the record."),
    ),
    work="studio.monitoring.alerts.work:silence",
    prepare="studio.monitoring.alerts.work:of_known_target",
    needs=frozenset({Permission.HOME}),
)
