"""Delivery of events to the sinks of an app from the desk."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.apps.context import DeskContext
from studio.runtime.apps.graph import AppGraph
from studio.runtime.apps.items import Event
from studio.runtime.apps.sinks.delivery import SinkWorkers
from studio.runtime.apps.sinks.outbox import Outbox

_LAST_S = 10.0
_POLL_S = 0.1


class DeskDelivery:
    """An outbox for one run, with its sinks at work."""

    def __init__(self, graph: AppGraph, context: DeskContext, folder: Path) -> None:
        """Begin to deliver.

        Args:
            folder: For the outbox; it is made here.

        Raises:
            AppError: for a sink that cannot be made.
        """
        folder.mkdir()
        document = graph.document
        names = [one.name for one in graph.receivers]
        self._outbox = Outbox(str(folder), document.name, document.outbox, names)
        self._workers = SinkWorkers(graph.receivers, context, self._outbox)
        self._workers.start()
        self._status: dict[str, Any] = {}

    def add(self, events: Sequence[Event]) -> None:
        """Deliver some events soon."""
        if events:
            self._outbox.add(events)

    def finish(self) -> None:
        """Wait a little for what is left, and end."""
        deadline = time.monotonic() + _LAST_S
        while time.monotonic() < deadline and self._waits():
            time.sleep(_POLL_S)
        self._status = dict(self._workers.to_json())
        self._workers.stop()

    def status(self) -> Mapping[str, Any]:
        """Return the state of each sink at the end."""
        return self._status

    def _waits(self) -> bool:
        state: dict[str, Any] = self._workers.to_json()
        return any(sink["waiting"] for sink in state.values())
