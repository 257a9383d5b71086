"""The alert inbox: firing, resolved, acknowledged and silenced alerts."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from studio.monitoring.alerts.silences import HOUR_S, SILENCE, Silence, Silences
from studio.monitoring.results import Alert, FleetSample
from studio.settings import write_atomically

MOST = 500
"""Entries that are kept; the oldest that are over go first."""


@dataclass(slots=True)
class AlertEntry:
    """One alert of one target.

    Attributes:
        active: It holds now.
        since, seen: Seconds since the epoch: when it began, when it was last heard of.
        acknowledged: A user has seen it; a new start of the alert resets this.
    """

    target: str
    name: str
    level: str
    text: str
    since: float
    seen: float
    active: bool = True
    acknowledged: bool = False


_FIELDS = tuple(AlertEntry.__dataclass_fields__)


class Inbox:
    """The alerts by target and name, stored in a file.

    Acknowledged and silenced alerts are not sent to channels either.

    Args:
        path: None keeps them nowhere.
        clock: Wall time.
        holds: The store of silences and acknowledgements.
    """

    def __init__(
        self,
        path: Path | None = None,
        clock: Callable[[], float] = time.time,
        holds: Silences | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self.holds = holds or Silences(None, clock)
        self._entries: dict[str, dict[str, AlertEntry]] = {}  # by target, then by name
        self._count = 0
        self._load()

    def ingest(self, samples: Iterable[FleetSample]) -> bool:
        """Apply the alerts of samples; return whether one is new or resolved."""
        now, changed = self._clock(), False
        for sample in samples:
            target, alerts = sample.target, {alert.name: alert for alert in sample.alerts}
            for alert in alerts.values():
                changed |= self._one(target, alert, now)
            for name, entry in self._entries.get(target, {}).items():
                if entry.active and name not in alerts:
                    entry.active, changed = False, True
                    self.holds.over(target, name)
        if changed:
            self._trim()
            self._save()
        return changed

    def _one(self, target: str, alert: Alert, now: float) -> bool:
        entry = self._entries.get(target, {}).get(alert.name)
        if entry is None:
            self._store(AlertEntry(target, alert.name, alert.level, alert.text, now, now))
            return True
        began = not entry.active
        if began:
            entry.since, entry.active, entry.acknowledged = now, True, False
        entry.seen, entry.level, entry.text = now, alert.level, alert.text
        return began

    def _store(self, entry: AlertEntry) -> None:
        of_target = self._entries.setdefault(entry.target, {})
        self._count += entry.name not in of_target
        of_target[entry.name] = entry

    def acknowledge(self, entry: AlertEntry) -> None:
        """Mark an alert as seen by the user."""
        self.holds.acknowledge(entry.target, entry.name)
        entry.acknowledged = True
        self._save()

    def silence(self, entry: AlertEntry, seconds: float = HOUR_S) -> None:
        """Silence an alert for a period; 0 ends its silence, and a wider one that covers it."""
        if seconds:
            self.holds.silence(entry.target, entry.name, seconds)
        elif (hold := self.silence_of(entry)) is not None:
            self.holds.end(hold.target, hold.alert)

    def silence_of(self, entry: AlertEntry) -> Silence | None:
        """Return the silence that holds it back now."""
        hold = self.holds.holding(entry.target, entry.name)
        return hold if hold is not None and hold.kind == SILENCE else None

    def is_silent(self, entry: AlertEntry) -> bool:
        """Return whether it is not to be counted now."""
        return self.silence_of(entry) is not None

    def waiting(self) -> list[AlertEntry]:
        """Return the unacknowledged alerts: critical ones first, then the newest."""
        found = [e for e in self.entries() if e.active and not e.acknowledged]
        return [entry for entry in found if not self.is_silent(entry)]

    def entries(self) -> list[AlertEntry]:
        """Return all: what holds first, critical ones before others, the newest first."""
        return sorted(
            self._all(),
            key=lambda e: (not e.active, e.acknowledged, e.level != "critical", -e.since),
        )

    def _all(self) -> list[AlertEntry]:
        return [entry for of_target in self._entries.values() for entry in of_target.values()]

    def _trim(self) -> None:
        extra = self._count - MOST
        if extra > 0:
            oldest = sorted(self._all(), key=lambda entry: (entry.active, entry.seen))
            for entry in oldest[:extra]:
                del self._entries[entry.target][entry.name]
                if not self._entries[entry.target]:
                    del self._entries[entry.target]
            self._count -= extra

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            rows = json.loads(self._path.read_text("utf-8"))
            found = [AlertEntry(**row) for row in rows]
        except (OSError, ValueError, TypeError, AttributeError):
            return  # nothing was kept yet, or by another version: alerts that hold come again
        for entry in found:
            entry.active = False  # until it is heard of again
            self._store(entry)

    def _save(self) -> None:
        if self._path is None:
            return
        rows = [{name: getattr(entry, name) for name in _FIELDS} for entry in self._all()]
        with contextlib.suppress(OSError):  # a full disk must not end the view of what is wrong
            write_atomically(self._path, json.dumps(rows).encode())
