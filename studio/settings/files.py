"""Files that are written whole or not at all, and folders that are private."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_OF_OTHERS = 0o077
"""Permissions of the group and of all others."""


def make_private(*folders: Path) -> None:
    """Create folders that their user alone can read, or take the permissions of others from them.

    The same holds for the files that lie directly in them.
    """
    for folder in folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.scandir(folder) as entries:
            files = [entry.path for entry in entries if entry.is_file(follow_symlinks=False)]
        for path in (str(folder), *files):
            with contextlib.suppress(OSError):  # it belongs to another user, or was just removed
                mode = stat.S_IMODE(os.stat(path).st_mode)
                if mode & _OF_OTHERS:
                    os.chmod(path, mode & ~_OF_OTHERS)


def write_atomically(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write as the runtime does, whole or not at all, also into a folder that is missing."""
    # It loads a dozen modules, which a window without settings to write does not need.
    from studio.runtime.shared import files

    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, content, mode)
