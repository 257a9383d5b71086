"""Limits of tests that follow the machine: a loaded one gets as much more time as it is slower."""

from __future__ import annotations

import os
from pathlib import Path

_LOAD = Path("/proc/loadavg")


def slowness() -> float:
    """How many processes share a processor here, one at least; by the last minute or right now.

    The load of the last minute knows what comes and goes, the count of this moment what has just
    begun.
    """
    try:
        fields = _LOAD.read_text().split()
        wanting = max(float(fields[0]), float(fields[3].partition("/")[0]))
    except (OSError, ValueError, IndexError):
        wanting = os.getloadavg()[0]
    return max(1.0, wanting / len(os.sched_getaffinity(0)))


def patience(seconds: float) -> float:
    """A limit that a quiet machine keeps in ``seconds``; where the machine is slower, longer.

    Twice the share of the processor that is left: whoever waits also waits for the disk, and for
    children that start children.
    """
    return seconds * (1.0 if slowness() == 1.0 else 2.0 * slowness())
