"""The descriptors that the system grants, and how many clients they are enough for."""

from __future__ import annotations

import resource

from .server import SPARE

_OTHERS = 128
"""Descriptors for files, sockets of the supervisor, and those that libraries take."""
_FEWEST = 16


def clients_within(wanted: int, per_client: int = 1) -> int:
    """Raise the limit of descriptors for some clients; return how many clients are possible.

    A server that runs out of descriptors accepts no connection, not even a liveness probe.

    Args:
        per_client: Where they may come in over two protocols, 2.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = per_client * wanted + SPARE + _OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except (OSError, ValueError):
        most = soft
    return max(_FEWEST, min(wanted, (most - SPARE - _OTHERS) // per_client))
