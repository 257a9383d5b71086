"""The work of the steps about alerts, inside a worker."""

from __future__ import annotations

import difflib
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from studio.api import StudioError, TargetError, UsageError
from studio.jobs import Arguments, Job, Result
from studio.monitoring.alerts.channels import ChannelError, alert_channels
from studio.monitoring.alerts.silences import HOLDS, Silence, Silences
from studio.registry import Registry
from studio.settings import Paths

_MINUTE_S = 60.0


def send_test(arguments: Arguments, job: Job) -> Result:
    """Send a notice that is no alert to one channel, or to all.

    Raises:
        UsageError: when there is no such channel.
        StudioError: when one took it not; all were tried.
    """
    _, channels = alert_channels(str(arguments["alerts"]))
    wanted = str(arguments.get("channel") or "")
    if wanted and wanted not in channels:
        raise UsageError(
            f"The file has no channel {wanted!r}.",
            hint=f"It has: {', '.join(channels) or 'none'}.",
        )
    chosen = [wanted] if wanted else list(channels)
    if not chosen:
        raise UsageError("The file has no channel that a test could be sent to.")
    rows: list[dict[str, Any]] = []
    for number, name in enumerate(chosen):
        job.progress(number, len(chosen), f"Sending a test to {name}")
        levels, send = channels[name]
        rows.append({"channel": name, "sent": True, "text": "It was taken."})
        try:
            send(_notice(str(levels[0])))
        except ChannelError as error:
            rows[-1].update(sent=False, text=str(error))
        job.event("tested", **rows[-1])
    failed = [f"{row['channel']}: {row['text']}" for row in rows if not row["sent"]]
    if failed:
        raise StudioError(" ".join(failed))
    return {"channels": rows}


def _notice(level: str) -> dict[str, Any]:
    return {
        "target": "edgewright-test",
        "name": "test",
        "level": level,
        "state": "test",
        "text": "This is a test from Edgewright: alerts arrive here.",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def of_known_target(registry: Registry, arguments: Arguments) -> dict[str, Any]:
    """Refuse a name that no target has: a silence that holds nothing back helps nobody.

    Raises:
        TargetError: with the nearest name.
    """
    target, names = str(arguments.get("target") or ""), [one.name for one in registry.targets()]
    if target not in ("", "*", *names):
        near = difflib.get_close_matches(target, names, 1)
        hint = f"Did you mean {near[0]}?" if near else "studio target list shows them."
        raise TargetError(f"Unknown target: {target!r}.", hint=hint)
    return dict(arguments)


def silence(arguments: Arguments, job: Job) -> Result:
    """Add a line to what is held back, or only tell what is."""
    holds = Silences(Paths.of().data / HOLDS)
    target, alert = str(arguments.get("target") or ""), str(arguments.get("alert") or "*")
    note = str(arguments.get("note") or "")
    if target and arguments.get("seen"):
        if "*" in (target, alert):
            raise UsageError(
                "One alert of one target is acknowledged, not all.",
                hint="Name both, or silence them for a while.",
            )
        holds.acknowledge(target, alert, note)
    elif target:
        seconds = float(arguments["minutes"]) * _MINUTE_S
        if seconds:
            holds.silence(target, alert, seconds, note)
        else:
            holds.end(target, alert, note)
    return {"holds": [_told(hold) for hold in holds.current()], "at": time.time()}


def _told(hold: Silence) -> dict[str, Any]:
    return {**asdict(hold), "text": hold.text}
