"""How much memory workers may take: a share of what this machine has, in one process and in all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from studio.jobs.step import Limits
from studio.settings import Settings

SHARE = 0.5
"""Of the machine's memory, for each process of a worker, where the user has set nothing else."""

TOGETHER = 1.5
"""Times as much for all processes of a job: a profile has one for each model and one to compare."""

_KILOBYTES = ("RssAnon:", "RssShmem:")
"""What cannot be read again from a file."""


def worker_limits(settings: Settings) -> Limits:
    """Return the user's limits of workers that run models."""
    memory_mb = int(settings["worker_memory_mb"]) or share_mb()
    return Limits(memory_mb=memory_mb, silence=float(settings["patience_s"]))


def share_mb(root: Path = Path("/")) -> int:
    """Return the limit of a worker's process where nothing else is set."""
    return max(256, int(machine_mb(root) * SHARE))


def machine_mb(root: Path = Path("/")) -> int:
    """Memory of this machine, or of the container in which the studio runs."""
    physical = (os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) >> 20
    return min([physical, *(found >> 20 for found in _group_limits(root))])


def held_mb(process: int) -> float:
    """Memory of a process and of all that it has started, shared parts of files left out."""
    return sum(_own_kilobytes(each) for each in _family(process)) / 1024


def _family(process: int) -> Iterator[int]:
    yield process
    for thread in _names(f"/proc/{process}/task"):
        for child in _text(f"/proc/{process}/task/{thread}/children").split():
            yield from _family(int(child))


def _own_kilobytes(process: int) -> int:
    lines = (line.split() for line in _text(f"/proc/{process}/status").splitlines())
    return sum(int(line[1]) for line in lines if line and line[0] in _KILOBYTES)


def _group_limits(root: Path) -> Iterator[int]:
    """Limits of the control groups that this process is in, of both versions."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, kinds, path = line.split(":", 2)
        if kinds == "":
            base, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in kinds.split(","):
            base, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        # In a container the path may be that of the host, while its own group is the top.
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts) + 1):
            text = _text(base.joinpath(*parts[:depth], name)).strip()
            if text.isdigit():
                yield int(text)


def _names(folder: str) -> list[str]:
    with contextlib.suppress(OSError):
        return os.listdir(folder)
    return []


def _text(path: str | Path) -> str:
    with contextlib.suppress(OSError, UnicodeDecodeError), open(path, encoding="utf-8") as file:
        return file.read()
    return ""
