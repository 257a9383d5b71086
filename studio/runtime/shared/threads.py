"""Threads: the default number of an inference, and the priority of those that no client awaits.

Serving, profiles and presets have one rule for the number, so that a figure measured in one place
holds in the others.
"""

from __future__ import annotations

import os
import threading
from typing import Optional

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
