"""Silences and acknowledgements of alerts, one line of a file each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from studio.api import StudioError
from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass

HOLDS = "alert-holds.jsonl"
"""Name of the file in the data folder."""
ALL = "*"
SILENCE, ACKNOWLEDGE, END, OVER = "silence", "acknowledge", "end", "over"
HOUR_S = 3600.0
LONGEST_S = 7 * 24 * HOUR_S
"""Longest silence; a longer one results from a clock that jumped, and has no effect."""
ACKNOWLEDGED_S = 24 * HOUR_S
"""An acknowledged alert is sent again after a day if it is still firing."""
_READ_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Silence:
    """A line of the file.

    Attributes:
        target, alert: Names; ``*`` matches all.
        kind: ``silence``, ``acknowledge`` (ends with the alert), ``end`` of both, or ``over``:
            the alert has resolved, which ends its acknowledgement.
        at, until: Seconds since the epoch.
        note: Reason, for readers of the record.
        by: The user's login on this computer.
    """

    target: str
    alert: str
    kind: str
    at: float
    until: float = 0.0
    note: str = ""
    by: str = ""

    @property
    def text(self) -> str:
        """The silence in one sentence."""
        what = "all alerts" if self.alert == ALL else self.alert
        where = "all targets" if self.target == ALL else self.target
        when = datetime.fromtimestamp(self.until, UTC).astimezone().strftime("%d %b %H:%M")
        verb = "are" if self.alert == ALL else "is"
        word = f"{verb} {'silent' if self.kind == SILENCE else 'acknowledged'}"
        because = f" ({self.note})" if self.note else ""
        return f"{what} of {where} {word} until {when}{because}."


class Silences:
    """The active silences; the file keeps all earlier ones, with their users.

    Args:
        path: File to which the window and commands append lines.
        clock: Wall time.

    Methods that add a line raise StudioError if it cannot be written; then nothing is silenced.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._holds: dict[tuple[str, str, str], Silence] = {}
        self._stamp: tuple[int, int] | None = None
        self._read_at = -1e9

    def silence(self, target: str, alert: str, seconds: float, note: str = "") -> Silence:
        """Silence an alert for a time, a week at most."""
        return self._add(target, alert, SILENCE, min(seconds, LONGEST_S), note)

    def acknowledge(self, target: str, alert: str, note: str = "") -> Silence:
        """Silence an alert until it resolves, a day at most."""
        return self._add(target, alert, ACKNOWLEDGE, ACKNOWLEDGED_S, note)

    def end(self, target: str, alert: str, note: str = "") -> Silence:
        """End a silence or an acknowledgement."""
        return self._add(target, alert, END, 0.0, note)

    def over(self, target: str, alert: str) -> None:
        """End the acknowledgement of an alert that has resolved."""
        self._read()
        if (target, alert, ACKNOWLEDGE) not in self._holds:
            return
        try:
            self._add(target, alert, OVER, 0.0)
        except StudioError:  # a full disk must not stop the monitor; the limit of a day applies
            self._holds.pop((target, alert, ACKNOWLEDGE), None)

    def holding(self, target: str, alert: str) -> Silence | None:
        """Return the active silence of an alert; None without one."""
        self._read()
        keys = ((target, alert), (target, ALL), (ALL, alert), (ALL, ALL))
        found = (self._holds.get((*key, kind)) for kind in (SILENCE, ACKNOWLEDGE) for key in keys)
        return next((one for one in found if one is not None and self._holds_now(one)), None)

    def current(self) -> list[Silence]:
        """Return the active silences, the first to end first."""
        self._read()
        found = [one for one in self._holds.values() if self._holds_now(one)]
        return sorted(found, key=lambda one: one.until)

    def _holds_now(self, hold: Silence) -> bool:
        left = hold.until - self._clock()
        return 0.0 < left <= LONGEST_S

    def _add(self, target: str, alert: str, kind: str, seconds: float, note: str = "") -> Silence:
        now = self._clock()
        by = os.environ.get("USER") or os.environ.get("USERNAME") or ""
        made = Silence(target, alert, kind, now, now + seconds if seconds else 0.0, note, by)
        if self._path is not None:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:  # one write: lines stay whole
                    file.write(json.dumps(asdict(made)) + "\n")
            except OSError as error:
                raise StudioError(
                    f"Cannot write {self._path}: {error.strerror}. No alert was silenced."
                ) from None
        self._apply(made)
        return made

    def _read(self) -> None:
        """Read lines of other processes; skip incomplete and unknown lines."""
        now = time.monotonic()
        if self._path is None or now - self._read_at < _READ_AGAIN_S:
            return
        self._read_at = now
        try:
            status = self._path.stat()
            stamp = status.st_mtime_ns, status.st_size
            if stamp == self._stamp:
                return
            lines = self._path.read_text("utf-8", errors="replace").splitlines()
        except OSError:
            return  # no silence so far
        self._stamp = stamp
        for line in lines:
            try:
                hold = from_json(Silence, json.loads(line))
            except ValueError:
                continue
            self._apply(hold)

    def _apply(self, hold: Silence) -> None:
        key = str(hold.target), str(hold.alert)
        if hold.kind in (SILENCE, ACKNOWLEDGE):
            self._holds[(*key, hold.kind)] = hold
            return
        for kind in (SILENCE, ACKNOWLEDGE) if hold.kind == END else (ACKNOWLEDGE,):
            self._holds.pop((*key, kind), None)
