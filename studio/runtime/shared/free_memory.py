"""Memory that is free on this machine, within the limits of a container."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional

_CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""The limit of a container and what of it is used, in both versions of the interface."""


def available_bytes() -> Optional[int]:
    """Return the bytes of free memory, here and in this container, or None if unknown."""
    found: List[int] = []
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        found += [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    except (OSError, ValueError, IndexError):
        pass
    for limit, used in _CGROUPS:
        try:
            found.append(int(Path(limit).read_text("ascii")) - int(Path(used).read_text("ascii")))
        except (OSError, ValueError):  # not there, or "max"
            continue
    return max(0, min(found)) if found else None
