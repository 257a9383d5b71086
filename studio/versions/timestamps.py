"""Times as users write them: ``2026-11-26 14:30``, with or without a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from studio.api import UsageError
from studio.registry.activity import spelled


def moment(text: str) -> str:
    """Return a time in the registry's spelling; without a zone it is local time.

    Raises:
        UsageError: when the text is no time.
    """
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"Invalid date and time: {text!r}.",
            hint="Write 2026-11-26T14:30 or 2026-11-26 14:30:05Z.",
        ) from None
    return spelled(found.astimezone(UTC))


def later(text: str, seconds: float) -> str:
    """Return a time of the registry, some seconds later."""
    return spelled(datetime.fromisoformat(text) + timedelta(seconds=seconds))


def local(text: str) -> str:
    """Return a time of the registry as a local time for people."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return found.astimezone().strftime("%Y-%m-%d %H:%M:%S")
