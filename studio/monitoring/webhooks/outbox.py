"""The outbox of a channel: events that wait, in a bounded folder, and the ids of those sent."""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.lazy_dataclass import dataclass
from studio.monitoring.webhooks.delivery import DeliveryError
from studio.monitoring.webhooks.event import CloudEvent
from studio.settings.files import write_atomically

FOLDER = "outbox"
"""Below the folder of data."""

MOST_WAITING = 1000
MOST_SENT = 2000
TRIES = 12
"""Tries of one event; the waits between them double up to an hour."""

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 3600.0
_SENT, _LOCK = "sent.txt", ".lock"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event in the outbox.

    Attributes:
        tries: Number of failed tries.
        not_before: Seconds since 1970.
        error: The last failure.
    """

    event: CloudEvent
    tries: int = 0
    not_before: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The outcome of one pass over the outbox; ``error`` is the last failure."""

    sent: int = 0
    waiting: int = 0
    given_up: int = 0
    error: str = ""


class EventOutbox:
    """The outbox of one channel; several processes may use it."""

    def __init__(
        self,
        data: Path,
        channel: str,
        clock: Callable[[], float] = time.time,
        most: int = MOST_WAITING,
    ) -> None:
        name = hashlib.sha256(channel.encode()).hexdigest()[:16]
        self._folder = data / FOLDER / name
        self._clock = clock
        self._most = most

    def add(self, event: CloudEvent) -> bool:
        """Store an event; False for one that waits already, or was sent.

        When the outbox is full, the oldest event is dropped.
        """
        with self._locked():
            files = self._files()
            waits = any(path.stem.endswith(event.id) for path in files)
            if waits or event.id in self._sent():
                return False
            last = files[-1].name if files else ""
            path = self._folder / f"{_place(last):020d}-{event.id}.json"
            for old in files[: max(0, len(files) - self._most + 1)]:
                old.unlink(missing_ok=True)
            self._write(path, Waiting(event))
            return True

    def waiting(self) -> list[Waiting]:
        """Return the events that wait, the oldest first."""
        return [one for path in self._files() if (one := _read(path)) is not None]

    def deliver(self, send: Callable[[CloudEvent], None], *, now: bool = False) -> Delivered:
        """Send what is due, the oldest first, and stop at the first failure.

        Args:
            now: Whether also events are sent whose next try is later.
        """
        sent = given_up = 0
        error = ""
        with self._locked():
            for path in self._files():
                one = _read(path)
                if one is None:
                    path.unlink(missing_ok=True)
                    continue
                if not now and self._clock() < one.not_before:
                    break
                try:
                    send(one.event)
                except DeliveryError as failure:
                    error = str(failure)
                    if not self._later(path, one, failure):
                        given_up += 1
                        continue
                    break
                self._note(one.event.id)
                path.unlink(missing_ok=True)
                sent += 1
            return Delivered(sent, len(self._files()), given_up, error)

    def _later(self, path: Path, one: Waiting, failure: DeliveryError) -> bool:
        """Store the time of the next try; False when there will be none."""
        tries = one.tries + 1
        if failure.final or tries >= TRIES:
            path.unlink(missing_ok=True)
            return False
        wait = max(min(_FIRST_WAIT_S * 2**tries, _LONGEST_WAIT_S), failure.wait_s)
        changed = Waiting(one.event, tries, self._clock() + wait, str(failure))
        self._write(path, changed)
        return True

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*-*.json"))

    def _sent(self) -> list[str]:
        try:
            return (self._folder / _SENT).read_text("ascii").split()
        except (OSError, UnicodeDecodeError):
            return []

    def _note(self, identifier: str) -> None:
        kept = [*self._sent(), identifier][-MOST_SENT:]
        write_atomically(self._folder / _SENT, "\n".join(kept).encode(), 0o600)

    def _write(self, path: Path, one: Waiting) -> None:
        text = json.dumps(asdict(one), sort_keys=True, default=str)
        write_atomically(path, text.encode(), 0o600)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / _LOCK).open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _place(last: str) -> int:
    """Return a number above that of the last file, also when the clock was set back."""
    number = last.partition("-")[0]
    return max(time.time_ns(), int(number) + 1 if number.isdigit() else 0)


def _read(path: Path) -> Waiting | None:
    try:
        return from_json(Waiting, json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError, InvalidDocument):
        return None
