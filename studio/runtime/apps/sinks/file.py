"""Events as lines of JSON in a file."""

from __future__ import annotations

import json
from typing import Dict, NamedTuple, Sequence

from ..items import Event
from ..parts import AppContext, SinkType


class FileSettings(NamedTuple):
    """Settings of a file of events.

    Attributes:
        path: File to which each event is added as one line.
    """

    path: str


class EventFile:
    """Adds events to a file; each line is on the disk before the next one is delivered."""

    def __init__(self, name: str, settings: FileSettings, context: AppContext) -> None:
        self._path = settings.path

    def deliver(self, events: Sequence[Event]) -> None:
        """Add the events.

        Raises:
            OSError: when the file cannot be written.
        """
        import os

        lines = [json.dumps(event.to_json(), ensure_ascii=False) + "\n" for event in events]
        with open(self._path, "a", encoding="utf-8") as file:
            file.write("".join(lines))
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        """Nothing is held between deliveries."""


TYPES: Dict[str, SinkType] = {
    "file": SinkType("file", "Lines of JSON in a file of the board", FileSettings, EventFile)
}
