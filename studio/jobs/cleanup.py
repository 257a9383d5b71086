"""Folders of jobs whose studio was killed, and their removal."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from pathlib import Path

_OLD_S = 3600.0
"""Younger ones are left alone: their process may live in a container that shares the folder."""


def new_folder(jobs: Path) -> Path:
    """Return the path for a job's new folder, whose name holds the process id."""
    return jobs / f"{os.getpid()}-{uuid.uuid4().hex}"


def remove_leftovers(jobs: Path) -> None:
    """Remove what was left by processes that are gone."""
    for entry in os.scandir(jobs):
        owner = entry.name.partition("-")[0]
        try:
            old = time.time() - entry.stat(follow_symlinks=False).st_mtime > _OLD_S
        except FileNotFoundError:  # another studio was faster
            continue
        if owner.isdigit() and old and not Path("/proc", owner).exists():
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                Path(entry.path).unlink(missing_ok=True)
