"""The work of the steps about alerts, inside a worker."""

from __future__ import annotations

import difflib
import time
from dataclasses import asdict
from datetime import UTC, datetime

from studio.api import StudioError, TargetError, UsageError
from studio.documents.dataclass_json import to_json
from studio.jobs import Job
from studio.monitoring.alerts.channels import ChannelError, Notice, Send, alert_channels
from studio.monitoring.alerts.silences import HOLDS, Silences
from studio.monitoring.alerts.step import ChannelTestOptions, SilenceOptions
from studio.monitoring.results import ActiveSilence, ChannelTest, ChannelTests, SilenceResult
from studio.registry import Registry
from studio.settings import Paths

_MINUTE_S = 60.0


def send_test(options: ChannelTestOptions, job: Job) -> ChannelTests:
    """Send a test notification to one channel, or to all.

    Raises:
        UsageError: when there is no such channel.
        StudioError: when a channel failed; all were tried.
    """
    _, channels = alert_channels(options.alerts)
    wanted = options.channel or ""
    if wanted and wanted not in channels:
        raise UsageError(
            f"The file has no channel {wanted!r}.",
            hint=f"It has: {', '.join(channels) or 'none'}.",
        )
    chosen = [wanted] if wanted else list(channels)
    if not chosen:
        raise UsageError("The alert file has no channels.")
    tests: list[ChannelTest] = []
    for number, name in enumerate(chosen):
        job.progress(number, len(chosen), f"Sending a test to {name}")
        levels, send = channels[name]
        tests.append(_test(name, send, levels[0]))
        job.event("tested", **to_json(tests[-1]))
    failed = [f"{test.channel}: {test.text}" for test in tests if not test.sent]
    if failed:
        raise StudioError(" ".join(failed))
    return ChannelTests(tuple(tests))


def _test(channel: str, send: Send, level: str) -> ChannelTest:
    notice = Notice(
        name="test",
        level=level,
        text="This is a test from Edgewright: alerts arrive here.",
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        target="edgewright-test",
        state="test",
    )
    try:
        send(notice)
    except ChannelError as error:
        return ChannelTest(channel, False, str(error))
    return ChannelTest(channel, True, "It was taken.")


def of_known_target(registry: Registry, options: SilenceOptions) -> SilenceOptions:
    """Refuse an unknown target, for which a silence would have no effect.

    Raises:
        TargetError: with the most similar name.
    """
    target, names = options.target or "", [one.name for one in registry.targets()]
    # An empty target lists the silences, and ``*`` is all targets.
    if target not in ("", "*", *names):
        near = difflib.get_close_matches(target, names, 1)
        hint = f"Did you mean {near[0]}?" if near else "studio target list shows them."
        raise TargetError(f"Unknown target: {target!r}.", hint=hint)
    return options


def silence(options: SilenceOptions, job: Job) -> SilenceResult:
    """Add a silence or an acknowledgement, or only list the active ones."""
    holds = Silences(Paths.of().data / HOLDS)
    target, alert, note = options.target or "", options.alert or "*", options.note or ""
    if target and options.ack:
        if "*" in (target, alert):
            raise UsageError(
                "One alert of one target is acknowledged, not all.",
                hint="Name both, or silence them for a while.",
            )
        holds.acknowledge(target, alert, note)
    elif target:
        seconds = options.minutes * _MINUTE_S
        if seconds:
            holds.silence(target, alert, seconds, note)
        else:
            holds.end(target, alert, note)
    active = (ActiveSilence(**asdict(hold), text=hold.text) for hold in holds.current())
    return SilenceResult(tuple(active), time.time())
