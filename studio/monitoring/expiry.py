"""Alerts on resources of a target that run out: its certificate and its disk."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from studio.monitoring.endpoint.results import Upkeep
from studio.monitoring.results import Alert

CERTIFICATE_DAYS = 30
"""Remaining days at which the release machine makes a new certificate during a deploy."""
_CERTIFICATE_CRITICAL_DAYS = 3

DISK_MB = 1000.0
_DISK_SHARE = 0.1
"""Share of the disk that limits the alert on small disks, where 1 GB may be half of it."""
_DISK_CRITICAL_MB = 50.0

WARNING, CRITICAL = "warning", "critical"


def expiry_alerts(upkeep: Upkeep | None) -> Iterator[Alert]:
    """Yield an alert for each resource near its end; none for an older runtime."""
    if upkeep is not None:
        yield from _certificate(upkeep)
        yield from _disk(upkeep)


def _certificate(upkeep: Upkeep) -> Iterator[Alert]:
    days = upkeep.certificate_days
    if days is None or days >= CERTIFICATE_DAYS:
        return
    end = _day(upkeep.certificate_until)
    level = WARNING if days > _CERTIFICATE_CRITICAL_DAYS else CRITICAL
    text = f"The certificate ends in {days:.0f} days ({end})"
    if days <= 0:
        text = f"The certificate has ended ({end})"
    advice = "the next deploy makes a new one, and of your own needs --cert and --key"
    yield Alert("certificate", level, f"{text}: {advice}.", days, CERTIFICATE_DAYS)


def _disk(upkeep: Upkeep) -> Iterator[Alert]:
    free, total = upkeep.disk_free_mb, upkeep.disk_total_mb
    if free is None or not total:
        return
    limit = max(_DISK_CRITICAL_MB, min(DISK_MB, _DISK_SHARE * total))
    if free >= limit:
        return
    level = WARNING if free >= _DISK_CRITICAL_MB else CRITICAL
    text = f"The disk is almost full: {free:,.0f} of {total:,.0f} MB are free. Free some space."
    yield Alert("disk", level, text, free, limit)


def _day(seconds: float | None) -> str:
    if seconds is not None:
        with contextlib.suppress(ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    return "on a day that is not known"
