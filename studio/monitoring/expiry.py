"""What runs out on a target: its certificate and its disk, told before they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

CERTIFICATE_DAYS = 30
"""As many as the release machine has left when it makes a new one at a deploy."""
_CERTIFICATE_CRITICAL_DAYS = 3

DISK_MB = 1000.0
_DISK_SHARE = 0.1
"""A large disk with a tenth free is no alarm; nor is a small one that is half empty."""
_DISK_CRITICAL_MB = 50.0

WARNING, CRITICAL = "warning", "critical"

Finding = tuple[str, str, str, float, float]
"""Name, level, sentence, value, limit."""


def findings(status: Mapping[str, Any]) -> Iterator[Finding]:
    """What is near its end; nothing for a runtime that does not tell."""
    told = status.get("upkeep")
    if isinstance(told, Mapping):
        yield from _certificate(told)
        yield from _disk(told)


def _certificate(told: Mapping[str, Any]) -> Iterator[Finding]:
    days = _number(told.get("certificate_days"))
    if days is None or days >= CERTIFICATE_DAYS:
        return
    end = _day(told.get("certificate_until"))
    level = WARNING if days > _CERTIFICATE_CRITICAL_DAYS else CRITICAL
    text = f"The certificate ends in {days:.0f} days ({end})"
    if days <= 0:
        text = f"The certificate has ended ({end})"
    advice = "the next deploy makes a new one, and of your own needs --cert and --key"
    yield "certificate", level, f"{text}: {advice}.", days, CERTIFICATE_DAYS


def _disk(told: Mapping[str, Any]) -> Iterator[Finding]:
    free, total = _number(told.get("disk_free_mb")), _number(told.get("disk_total_mb"))
    if free is None or not total:
        return
    limit = max(_DISK_CRITICAL_MB, min(DISK_MB, _DISK_SHARE * total))
    if free >= limit:
        return
    level = WARNING if free >= _DISK_CRITICAL_MB else CRITICAL
    text = f"The disk is almost full: {free:,.0f} of {total:,.0f} MB are free. Free some space."
    yield "disk", level, text, free, limit


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _day(value: Any) -> str:
    try:
        return datetime.fromtimestamp(float(value), UTC).date().isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        return "on a day that is not known"
