"""Outboxes for tests, with a clock that stands still."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.runtime.apps.document import OutboxSettings
from studio.runtime.apps.items import Event
from studio.runtime.apps.sinks.outbox import Outbox


class Clock:
    """Time that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make(
    folder: Path, most: int = 100_000, days: float = 7.0, sinks: Any = ("a",), **more: Any
) -> Outbox:
    return Outbox(str(folder), "yard", OutboxSettings(most, days), sinks, **more)


def numbers(events: list[Event]) -> list[int]:
    return [one.details["n"] for one in events]
