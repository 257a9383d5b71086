"""The share of processors that a control group leaves to this process."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Iterator, Optional

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def cpu_quota(root: Path = _ROOT, own: Path = _OWN) -> float:
    """Return how many processors' time the process may use; infinite without a limit.

    A container sees its own group at the root, a service of systemd its place in the tree. The
    least of the group and of those around it counts.

    Args:
        root: Where the control groups are mounted.
        own: The file with the group of the process.
    """
    found = [_share(folder) for folder in _folders(root, own)]
    return min([one for one in found if one is not None], default=math.inf)


def _folders(root: Path, own: Path) -> Iterator[Path]:
    """Yield the folders of the group and of those around it, in both versions."""
    yield root
    yield root / "cpu"
    for line in _text(own).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        names = controllers.split(",")
        if controllers and "cpu" not in names:
            continue
        top = root / "cpu" if controllers else root
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for count in range(1, len(parts) + 1):
            yield top.joinpath(*parts[:count])


def _share(folder: Path) -> Optional[float]:
    """Return the limit of one group; None without one."""
    words = _text(folder / "cpu.max").split()
    if len(words) != 2:
        words = [_text(folder / name).strip() for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
    try:
        quota, period = int(words[0]), int(words[1])
    except ValueError:  # "max", or not there
        return None
    return quota / period if quota > 0 and period > 0 else None


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""


def whole_processors(count: int, quota: float) -> int:
    """Return how many of some processors can be busy all the time.

    A thread more than that stops them all until the next period of the scheduler, as threads of
    one run wait for each other.
    """
    return count if quota >= count else max(1, int(quota))
