"""Threads: the default number of an inference, the priority of background work, failures.

Serving, profiles and presets have one rule for the number, so that a figure measured in one place
holds in the others.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Awaitable, Callable, List, NamedTuple, Optional

from .cpu_quota import cpu_quota, whole_processors

PARALLEL_ABOVE_S = 0.05
"""A slower model gets all cores for one request: its latency matters more than throughput."""


def threads_for(seconds: Optional[float], cores: int) -> int:
    """How many threads run one inference.

    Args:
        seconds: What an inference takes on one thread; None when it could not be measured.
    """
    slow = seconds is not None and seconds > PARALLEL_ABOVE_S
    return cores if slow else 1


def usable_cores() -> int:
    """Processors that this process may use, by its affinity and the limit of its control group."""
    if hasattr(os, "sched_getaffinity"):
        return whole_processors(len(os.sched_getaffinity(0)), cpu_quota())
    return os.cpu_count() or 1


def yield_to_requests(niceness: int = 10) -> None:
    """Give the calling thread a low priority, where the system has priorities of threads."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
    except (OSError, AttributeError):
        pass


MOST_FAILURES = 3
"""Failures of a thread within ``FAILURES_S`` after which it ends."""
FAILURES_S = 60.0

Failed = Callable[[BaseException], None]


class ThreadFailure(NamedTuple):
    """Failure of a thread: an exception that its work did not handle.

    Attributes:
        thread: Name of the thread.
        error: The exception.
        fatal: Whether a thread that others rely on has failed too often and ends.
    """

    thread: str
    error: BaseException
    fatal: bool

    @property
    def reason(self) -> str:
        """The exception in one line, for a log."""
        text = str(self.error).strip().split("\n")[0][:300]
        return "{}: {}".format(type(self.error).__name__, text)


def _log_failure(failure: ThreadFailure) -> None:
    error = failure.error
    trace = (type(error), error, error.__traceback__)
    logging.getLogger(__name__).error("thread %s failed", failure.thread, exc_info=trace)


_report: Callable[[ThreadFailure], None] = _log_failure


def report_failures(report: Callable[[ThreadFailure], None] = _log_failure) -> None:
    """Have the failures of all threads of this process reported there; by default to the log."""
    global _report
    _report = report


class Failures:
    """Failures of one thread or task, and whether it may continue."""

    def __init__(self, name: str, *, lasts: bool = True) -> None:
        self._name = name
        self._lasts = lasts
        self._moments: List[float] = []

    def add(self, error: BaseException) -> bool:
        """Report a failure; return whether the work continues."""
        now = time.monotonic()
        self._moments = [one for one in self._moments if now - one < FAILURES_S] + [now]
        fatal = self._lasts and len(self._moments) >= MOST_FAILURES
        _report(ThreadFailure(self._name, error, fatal))
        return self._lasts and not fatal


def guarded_thread(
    name: str, work: Callable[[], object], failed: Optional[Failed] = None, *, lasts: bool = True
) -> threading.Thread:
    """Return a thread whose failures are reported; every thread of the runtime is one.

    A failure is reported, and fails the work at hand. A thread that lasts then begins its work
    again. Where that fails, too, and again, the failure is fatal: a server ends and is started
    again, as others rely on the thread.

    Args:
        work: What the thread does.
        failed: Fails the work at hand, which has no other end.
        lasts: Whether the thread begins its work again after a failure.
    """

    def run() -> None:
        failures = Failures(name, lasts=lasts)
        while True:
            try:
                work()
                return
            except BaseException as error:  # SystemExit, too: of an app's own code, for one
                if failed is not None:
                    failed(error)
                if not failures.add(error):
                    return

    return threading.Thread(target=run, name=name, daemon=True)


async def guarded_task(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work of a task of an event loop, which lasts; its failures are those of a thread."""
    failures = Failures(name)
    while True:
        try:
            return await work()
        except Exception as error:
            if not failures.add(error):
                return
