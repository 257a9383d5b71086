"""A small disk of its own, and one that is as good as full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEGABYTE = 1 << 20


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Mount a disk of so many megabytes at a new folder; this needs root."""
    place.mkdir()
    options = f"size={megabytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path, free: int) -> Path:
    """Leave so many bytes free; returns the file that takes the rest."""
    filler = place / "filler"
    found = os.statvfs(place)
    with filler.open("wb") as file:
        size = max(0, found.f_bavail * found.f_frsize - free)
        while size > 0:
            size -= file.write(bytes(min(size, MEGABYTE)))
    return filler
