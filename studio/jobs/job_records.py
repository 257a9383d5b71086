"""The log records of one job: its start, its worker's records, its end."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping

from studio.documents.plain import plain
from studio.jobs.outcome import End, JobOutcome
from studio.jobs.spec import JobSpec
from studio.jobs.worker_events import WorkerEvent
from studio.settings.redaction import RESERVED

log = logging.getLogger(__name__)
of_workers = logging.getLogger("studio.jobs.worker")

MOST_AT_ONCE = 200
"""Records of a worker; one more is admitted each second."""

_LONGEST = 4_000
_LONGEST_VALUE = 200
_MOST_KEYS = 8
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_LOGGER = re.compile(r"[A-Za-z_][\w.]{0,99}")
_KEY = re.compile(r"[a-z][a-z_]{0,29}")
_OURS = RESERVED | {"job", "step", "origin", "dropped", "outcome", "traceback"}


class JobRecords:
    """The writer of one job's records, each with the job's id.

    Its worker is not trusted: how much it may log is bounded, it chooses neither the logger nor
    the job, and its texts are made plain.
    """

    def __init__(self, spec: JobSpec, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = {"job": spec.id, "step": spec.step or spec.entry}
        self._clock = clock
        self._left = float(MOST_AT_ONCE)
        self._last = clock()
        self._dropped = 0

    def started(self) -> None:
        """The job begins."""
        log.info("job started", extra=self._keys)

    def of_worker(self, event: WorkerEvent) -> None:
        """Write what the worker sent, if it has not sent too much."""
        if not self._admits():
            self._dropped += 1
            return
        # A worker is not trusted: unknown levels and logger names are replaced.
        number = logging.INFO
        if event.level in _LEVELS:
            number = logging.getLevelName(str(event.level))
        origin = _LOGGER.match(str(event.logger))
        source = origin.group() if origin else "worker"
        keys = {**_own_keys(event.keys), **self._keys, "origin": source}
        text = _bounded(event.text, _LONGEST)
        trace = _bounded(event.traceback, _LONGEST)
        of_workers.log(number, "%s", text, extra=_with_traceback(keys, trace))

    def ended(self, outcome: JobOutcome) -> None:
        """Log the end of a job; a failure with the sentence that the user gets."""
        if self._dropped:
            log.warning(
                "records of the worker dropped", extra={**self._keys, "dropped": self._dropped}
            )
        keys: dict[str, object] = {
            **self._keys,
            "outcome": outcome.end.value,
            "seconds": round(outcome.seconds, 3),
        }
        if outcome.end in (End.SUCCEEDED, End.CANCELLED):
            log.info("job ended", extra=keys)
            return
        keys.update(error=outcome.error, plugin=outcome.plugin, signal=outcome.signal)
        keys = {name: value for name, value in keys.items() if value not in ("", 0)}
        trace = plain(outcome.detail)
        log.error("job ended: %s", outcome.sentence, extra=_with_traceback(keys, trace))

    def _admits(self) -> bool:
        """Return whether one more record is within the rate: a bucket that is refilled slowly."""
        now = self._clock()
        self._left = min(float(MOST_AT_ONCE), self._left + now - self._last)
        self._last = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _with_traceback(keys: Mapping[str, object], trace: str) -> dict[str, object]:
    """Return the keys with a traceback that another process has written down."""
    return {**keys, "traceback": trace} if trace else dict(keys)


def _own_keys(given: object) -> dict[str, object]:
    """Return the keys of a worker's record, as far as they are names with plain values."""
    pairs = list(given.items())[:_MOST_KEYS] if isinstance(given, dict) else []
    return {
        name: value if isinstance(value, bool | int | float) else _bounded(value, _LONGEST_VALUE)
        for name, value in pairs
        if _KEY.fullmatch(name) and name not in _OURS
    }


def _bounded(value: object, most: int) -> str:
    text = value if isinstance(value, str) else str(value)
    return plain(text if len(text) <= most else f"{text[:most]}...")
