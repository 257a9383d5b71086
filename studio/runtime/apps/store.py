"""Events of an app in memory, for a run on the desk."""

from __future__ import annotations

import threading
from typing import List, Protocol, Sequence

from .items import Event


class EventStore(Protocol):
    """Keeper of the events of one app.

    Attributes:
        fault: Why events are not stored at the moment, in one sentence; empty while they are.
    """

    fault: str

    def add(self, events: Sequence[Event]) -> List[Event]:
        """Store events in their order; return them with their ids.

        Raises:
            OSError: when they are not stored yet.
        """


class MemoryStore:
    """Keeps events while the process lives.

    Attributes:
        events: All of them, the oldest first.
    """

    def __init__(self, name: str) -> None:
        self.events: List[Event] = []
        self.fault = ""
        self._name = name
        self._lock = threading.Lock()

    def add(self, events: Sequence[Event]) -> List[Event]:
        """Store events in their order; return them with their ids."""
        with self._lock:
            first = len(self.events) + 1
            found = [
                event._replace(id="{}-{}".format(self._name, first + at))
                for at, event in enumerate(events)
            ]
            self.events += found
        return found
