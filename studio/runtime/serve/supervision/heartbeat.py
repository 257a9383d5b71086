"""Heartbeat of a worker process: requested over its control channel, and judged.

The answer comes from the event loop's thread. Silence alone does not mean that a worker hangs: a
small model is run in that thread, and one request may be large. So a silent worker that uses its
processor has as long as clients wait for an answer. One that does not use it (stopped, or locked
in a native library) has only the limit. A run on another thread does not stop the loop from
answering: the answer contains the duration of the longest, and one that outlasts every client's
timeout is of no use any more.
"""

from __future__ import annotations

import os
import time
from typing import Callable, Dict, Iterable, Optional

_PARTS = 4
"""Questions within the time of the limit."""

_BUSY_SHARE = 0.05
"""Of the silence that a processor was used, from which on a worker counts as busy."""


def processor_s(pid: int) -> Optional[float]:
    """Processor time that a process has used, in seconds; None where it cannot be read."""
    try:
        with open("/proc/{}/stat".format(pid), "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Heartbeat:
    """The watch over one worker. All moments are of a monotonic clock, in seconds.

    Args:
        limit_s: Silence from which on an idle worker hangs.
        answer_s: The longest that a client waits for its answer; infinite without a limit.
        used_s: Processor time that the worker has used.
    """

    def __init__(
        self, limit_s: float, answer_s: float, used_s: Callable[[], Optional[float]]
    ) -> None:
        self._limit_s = limit_s
        self._answer_s = answer_s
        self._used_s = used_s
        self._used_before: Optional[float] = None
        self._asked_at: Optional[float] = None
        self._check_at = float("-inf")
        self._run_s = 0.0

    @property
    def next_check(self) -> float:
        """Monotonic time of the next ping or verdict."""
        return self._check_at

    def start_ping(self, now: float) -> bool:
        """Start a ping if it is due; return whether one was started."""
        if self._asked_at is not None or now < self._check_at:
            return False
        self._asked_at = now
        self._used_before = self._used_s()
        self._check_at = now + self._limit_s
        return True

    def on_answer(self, now: float, run_s: float) -> None:
        """Record the worker's answer to a ping.

        Args:
            run_s: How long its longest present run has lasted.
        """
        self._asked_at = None
        self._run_s = run_s
        self._check_at = now + self._limit_s / _PARTS

    def verdict(self, now: float, patience_s: float = 0.0) -> str:
        """Return why the worker hangs, as the end of a sentence; empty while it does not.

        Args:
            patience_s: Silence that is accepted at the moment, even of an idle process.
        """
        if self._run_s > self._answer_s + self._limit_s:
            return "has an abandoned inference running for {:.0f} s".format(self._run_s)
        if self._asked_at is None:
            return ""
        silence = now - self._asked_at
        allowed = self._limit_s + (self._answer_s if self._is_busy(silence) else 0.0)
        if silence >= max(allowed, patience_s):
            return "missed its heartbeat for {:.0f} s".format(silence)
        if now >= self._check_at:  # busy, or accepted: check again soon
            self._check_at = now + self._limit_s / _PARTS
        return ""

    def _is_busy(self, silence: float) -> bool:
        if silence < self._limit_s:
            return True
        now, before = self._used_s(), self._used_before
        return now is not None and before is not None and now - before > _BUSY_SHARE * silence


class LongestRun:
    """Age of the longest run, from the first poll that saw it: too low by one period at most."""

    def __init__(self) -> None:
        self._seen: Dict[object, float] = {}

    def poll(self, running: Iterable[object]) -> float:
        """Return the seconds since the oldest present run was first seen; 0 without any."""
        now = time.monotonic()
        self._seen = {run: self._seen.get(run, now) for run in running}
        return now - min(self._seen.values(), default=now)
