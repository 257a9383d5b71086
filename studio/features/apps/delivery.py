"""Delivery of events to the sinks of an app from the desk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.features.apps import OUTPUTS
from studio.features.apps.context import DeskContext
from studio.registry.names import below
from studio.runtime.apps.graph import AppGraph
from studio.runtime.apps.items import Event
from studio.runtime.apps.sinks.delivery import SinkWorkers
from studio.runtime.apps.sinks.outbox import Outbox

_LAST_S = 10.0
_POLL_S = 0.1


def keep_outputs(app: Path, job: Path) -> tuple[str, ...]:
    """Add what sinks of a run have written to the folder ``data`` of the app; return the files.

    Raises:
        Refused: for a place that a link leads out of the folder.
    """
    outputs, kept = job / OUTPUTS, []
    for source in sorted(outputs.rglob("*")):
        if source.is_symlink() or not source.is_file():
            continue  # own code may have made it
        target = below(app, Path("data") / source.relative_to(outputs))
        target.parent.mkdir(parents=True, exist_ok=True)
        with source.open("rb") as new, target.open("ab") as file:
            shutil.copyfileobj(new, file)
        kept.append(str(target))
    return tuple(kept)


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
