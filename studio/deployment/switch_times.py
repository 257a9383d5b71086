"""When what a target serves changed, by this computer's clock and in the registry's spelling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from studio.registry.activity import spelled


def instant(seconds_ago: float = 0.0) -> str:
    """A moment of a short while ago."""
    return spelled(datetime.now(UTC) - timedelta(seconds=max(0.0, seconds_ago)))


def begun(soak: Mapping[str, Any]) -> str:
    """When a release began to answer whose trial has just ended; now where it had none.

    A trial is part of the time that a release serves: it answers the clients.
    """
    return instant(float(soak.get("seconds") or 0.0))
