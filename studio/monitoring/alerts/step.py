"""The steps about alerts: a test notification to channels, and silences."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission
from studio.jobs import Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.monitoring.results import ChannelTests, SilenceResult


@dataclass(frozen=True, slots=True)
class ChannelTestOptions:
    """Options of the test of channels."""

    alerts: Path = option(
        kind=Kind.FILE,
        title="Alert rules",
        help="TOML with [[channels]]; see docs/monitoring.md.",
    )
    channel: str | None = option(None, help="Channel to test (default: all channels of the file).")


@dataclass(frozen=True, slots=True)
class SilenceOptions:
    """Options of the silences."""

    target: str | None = option(
        None, help="Target name, or * for all. Without it, the silences are listed."
    )
    alert: str = option("*", help="Alert name, such as drift or latency; * for all.")
    minutes: float = option(
        60,
        title="For",
        unit="min",
        minimum=0,
        maximum=10080,
        help="Duration of the silence; 0 ends it.",
    )
    ack: bool = option(
        False,
        help="Acknowledge the alert until it resolves, for up to one day.",
    )
    note: str | None = option(None, help="Reason, stored with the silence.")


TEST: Step[ChannelTestOptions, ChannelTests] = Step(
    name="monitor-test",
    title="Send a test",
    summary="Send a test alert to each channel of an alert file and report the result.",
    options=ChannelTestOptions,
    result=ChannelTests,
    work="studio.monitoring.alerts.work:send_test",
    texts="studio.monitoring.texts:channel_tests",
    needs=frozenset(
        {Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    ),
)

SILENCE: Step[SilenceOptions, SilenceResult] = Step(
    name="monitor-silence",
    title="Silence alerts",
    summary="Silence alerts for a period, or list the silences.",
    options=SilenceOptions,
    result=SilenceResult,
    work="studio.monitoring.alerts.work:silence",
    texts="studio.monitoring.texts:silences",
    prepare="studio.monitoring.alerts.work:of_known_target",
    needs=frozenset({Permission.HOME}),
)
