"""Moments as people write them: ``2026-11-26 14:30``, with or without a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from studio.api import UsageError
from studio.registry.activity import spelled


def moment(text: str) -> str:
    """A moment in the registry's spelling; one without a zone is local time.

    Raises:
        UsageError: when it is not one.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"{text!r} is not a moment.",
            hint="Write it as 2026-11-26T14:30 or 2026-11-26 14:30:05Z.",
        ) from None
    return spelled(found.astimezone(UTC))


def later(text: str, seconds: float) -> str:
    """A moment in the registry's spelling, and some seconds after it."""
    return spelled(datetime.fromisoformat(text) + timedelta(seconds=seconds))


def local(text: str) -> str:
    """The registry's spelling as a local time for people."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return found.astimezone().strftime("%Y-%m-%d %H:%M:%S")
