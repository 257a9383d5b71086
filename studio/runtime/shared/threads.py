"""Default number of threads of an inference, for serving, profiles and presets.

One rule for all of them, so that a figure measured in one place holds in the others.
"""

from __future__ import annotations

import os
from typing import Optional

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
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
