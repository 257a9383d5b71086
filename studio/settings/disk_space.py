"""The sentence for a disk that is full."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from studio.api import StudioError

_LITTLE = 256 * 1024
"""With less, SQLite can open no file, and reports a general error of the disk."""

HINT = "Free disk space, or move the data folder with EDGEWRIGHT_HOME."


def is_full(folder: Path) -> bool:
    """Return whether the disk of a folder has no room for the files of a registry."""
    try:
        return shutil.disk_usage(folder).free < _LITTLE
    except OSError:
        return False


def is_of_full_disk(error: OSError) -> bool:
    """Return whether an error means that the disk, or the user's part of it, is full."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def hint_for(error: OSError) -> str:
    """Return what to do about an error; empty where the disk is not full."""
    return HINT if is_of_full_disk(error) else ""


def no_room(folder: Path) -> StudioError:
    """Return the error for a full disk."""
    return StudioError(f"The disk of {folder} is full.", hint=HINT)
